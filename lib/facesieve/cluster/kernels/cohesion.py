"""How well the members of a cluster hold together: in memory, or read again and again in blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from facesieve.faces.vectors import Floats, Indices, medoid, ordered_dot, pair_cosine

Blocks = Callable[[], Iterable[npt.NDArray[np.float32]]]
"""Each call gives the same blocks of rows again."""


def cohesion(ids: Indices, vectors: npt.NDArray[Any]) -> tuple[int, float]:
    """Find a cluster's medoid and the mean cosine of the other members to it (1.0 for a single face).

    Shapes: ids int64 [N], vectors [N, D], N at least 1. Returns the medoid's index and the mean, taken in float64 by
    ascending id, so the row order of the input does not matter. Cosines as in `vectors.pair_cosine`.

    >>> cohesion(np.array([7, 3]), np.array([[1.0, 0.0], [0.5, 0.0]]))
    (0, 1.0)
    """
    centre = medoid(ids, vectors)
    if len(ids) == 1:
        return centre, 1.0
    order = np.argsort(ids, kind="stable")
    others = vectors[order[order != centre]]
    cosines = pair_cosine(others, vectors[centre : centre + 1]).astype(np.float64)
    return centre, float(np.add.accumulate(cosines)[-1] / len(cosines))


def streamed_cohesion(blocks: Blocks) -> tuple[int, float]:
    """Find a cluster's medoid and the mean cosine of the others to it: `cohesion` to the bit, three passes.

    blocks: gives float32 [n, D] by ascending face id, at least one row in all; where blocks end does not matter.
    Memory: a few blocks. Returns the medoid's row and the mean (1.0 for a single face).

    >>> rows = np.array([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]], np.float32)
    >>> streamed_cohesion(lambda: [rows[:2], rows[2:]])[0]
    1
    """
    centre, vector = _centre(blocks, _total(blocks))
    total, others, start = np.zeros(1), 0, 0
    for block in blocks():
        cosines = pair_cosine(block, vector[None, :]).astype(np.float64)
        of_others = np.delete(cosines, centre - start) if start <= centre < start + len(block) else cosines
        total = np.add.accumulate(np.concatenate([total, of_others]))[-1:]
        others, start = others + len(of_others), start + len(block)
    return centre, float(total[0] / others) if others else 1.0


def _total(blocks: Blocks) -> Floats:
    """Sum rows strictly one after the other."""
    total: Floats | None = None
    for block in blocks():
        rows = block.astype(np.float64)
        total = np.add.accumulate(rows if total is None else np.concatenate([total[None, :], rows]), axis=0)[-1]
    if total is None:
        raise ValueError("a cluster has at least one face")
    return total


def _centre(blocks: Blocks, total: Floats) -> tuple[int, npt.NDArray[np.float32]]:
    centre, most, vector, start = 0, -np.inf, np.zeros(0, np.float32), 0
    for block in blocks():
        dots = ordered_dot(block.astype(np.float64), total)
        nearest = int(np.argmax(dots))
        if dots[nearest] > most:
            centre, most, vector = start + nearest, float(dots[nearest]), block[nearest].copy()
        start += len(block)
    return centre, vector

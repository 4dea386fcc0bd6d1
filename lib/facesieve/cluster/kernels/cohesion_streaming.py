"""Medoid and cohesion of a cluster too large to hold: its vectors are read again and again in blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt

from facesieve.faces.vectors import Floats, ordered_dot, pair_cosine

Blocks = Callable[[], Iterable[npt.NDArray[np.float32]]]
"""Each call gives the same blocks of rows again."""


def streamed_cohesion(blocks: Blocks) -> tuple[int, float]:
    """Find a cluster's medoid and the mean cosine of the others to it: `cohesion.cohesion` to the bit, three passes.

    blocks: gives float32 [n, D] by ascending face id, at least one row in all; where blocks end does not matter.
    Memory: a few blocks. Returns the medoid's row and the mean (1.0 for a single face).

    >>> rows = np.array([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]], np.float32)
    >>> streamed_cohesion(lambda: [rows[:2], rows[2:]])[0]
    1
    """
    medoid, vector = _medoid(blocks, _total(blocks))
    total, others, start = np.zeros(1), 0, 0
    for block in blocks():
        cosines = pair_cosine(block, vector[None, :]).astype(np.float64)
        kept = np.delete(cosines, medoid - start) if start <= medoid < start + len(block) else cosines
        total = np.add.accumulate(np.concatenate([total, kept]))[-1:]
        others, start = others + len(kept), start + len(block)
    return medoid, float(total[0] / others) if others else 1.0


def _total(blocks: Blocks) -> Floats:
    """Sum rows strictly one after the other."""
    total: Floats | None = None
    for block in blocks():
        rows = block.astype(np.float64)
        total = np.add.accumulate(rows if total is None else np.concatenate([total[None, :], rows]), axis=0)[-1]
    if total is None:
        raise ValueError("a cluster has at least one face")
    return total


def _medoid(blocks: Blocks, total: Floats) -> tuple[int, npt.NDArray[np.float32]]:
    medoid, most, vector, start = 0, -np.inf, np.zeros(0, np.float32), 0
    for block in blocks():
        dots = ordered_dot(block.astype(np.float64), total)
        nearest = int(np.argmax(dots))
        if dots[nearest] > most:
            medoid, most, vector = start + nearest, float(dots[nearest]), block[nearest].copy()
        start += len(block)
    return medoid, vector

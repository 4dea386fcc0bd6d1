"""How like the faces of one person are to each other."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class Nearest(NamedTuple):
    """For each of n faces the row of the nearest other one, int64 [n], and its cosine, float64 [n]."""

    row: npt.NDArray[np.int64]
    cosine: npt.NDArray[np.float64]


def nearest_own(vectors: npt.NDArray[np.floating]) -> Nearest | None:
    """Return for each face of unit length, [n, D], the nearest other one (ties: the first); None for fewer than two.

    >>> nearest_own(np.array([[1.0, 0.0], [0.6, 0.8], [0.8, 0.6]])).row.tolist()
    [2, 2, 1]
    """
    if len(vectors) < 2:
        return None
    cosines = vectors.astype(np.float64) @ vectors.astype(np.float64).T
    np.fill_diagonal(cosines, -np.inf)
    rows = cosines.argmax(axis=1)
    return Nearest(rows, cosines[np.arange(len(rows)), rows])

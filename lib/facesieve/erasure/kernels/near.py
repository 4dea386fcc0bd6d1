"""Vectors that are one of some others, but for rounding."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

_AT_ONCE = 16_384


def near(numbers: npt.NDArray[np.floating], vectors: Sequence[Sequence[float]], cosine: float) -> int:
    """Count the vectors in a row of numbers that are within a cosine of one of `vectors`.

    numbers: n vectors of D numbers each, one after the other, for every D that `vectors` have and that divides their
    count; of any float type. What has no length, or is not finite, is near to nothing.

    >>> near(np.array([2.0, 0.0, 0.0, 1.0, 1.0, 1.0]), [[1, 0], [1, 1]], 0.999)
    2
    """
    hits = 0
    for width in sorted({len(each) for each in vectors if each}):
        wanted = _unit(np.array([each for each in vectors if len(each) == width], np.float64))
        if numbers.size and numbers.size % width == 0:
            rows = numbers.reshape(-1, width)
            for start in range(0, len(rows), _AT_ONCE):
                near_one = _unit(rows[start : start + _AT_ONCE]) @ wanted.T >= cosine
                hits += int(near_one.any(axis=1).sum())
    return hits


def which_near(
    vectors: Sequence[Sequence[float]], rows: npt.NDArray[np.floating], cosine: float
) -> npt.NDArray[np.bool_]:
    """Say of each of m vectors whether a row [n, D] is within a cosine of the vector; those of other widths are not.

    >>> which_near([[1, 0], [0, 1], [1]], np.array([[2.0, 0.0]]), 0.999).tolist()
    [True, False, False]
    """
    hits = np.zeros(len(vectors), np.bool_)
    wanted = np.array([number for number, each in enumerate(vectors) if len(each) == rows.shape[1]], np.int64)
    if len(wanted) and len(rows):
        those = _unit(np.array([vectors[number] for number in wanted], np.float64))
        for start in range(0, len(rows), _AT_ONCE):
            hits[wanted] |= (those @ _unit(rows[start : start + _AT_ONCE]).T >= cosine).any(axis=1)
    return hits


def _unit(rows: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    with np.errstate(all="ignore"):
        wide = rows.astype(np.float64)
        lengths = np.sqrt((wide * wide).sum(axis=1, keepdims=True))
        return np.nan_to_num(np.where(np.isfinite(lengths) & (lengths > 0), wide / lengths, 0.0))

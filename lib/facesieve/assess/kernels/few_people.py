"""The impostor line of fewer people than `link.kernels.impostor_line` asks for, and how uncertain it is.

Pairs of few people are far from independent: the line hangs on who the people are. So it is estimated once more without
each person in turn (jackknife), and Student's t makes an interval of the spread.

Measured on LFW, 10 faces each of people with 6 and more, 200 draws: the cosine for 1 % of impostors (FaceNet,
MobileFaceNet; of all people it is 0.393 and 0.232):

| people | error, one sd | half of the interval, median | intervals that hold the cosine |
| --- | --- | --- | --- |
| 3 | 0.11, 0.06 | 0.48, 0.31 | 93 %, 97 % |
| 5 | 0.10, 0.05 | 0.25, 0.12 | 91 %, 95 % |
| 8 | 0.07, 0.03 | 0.15, 0.07 | 91 %, 94 % |
| 11 | 0.05, 0.02 | 0.12, 0.06 | 95 %, 98 % |

Below five people the interval is as wide as the whole range of cosines.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from facesieve.assess.kernels.calibration import BINS, EDGES, cosine_at, counted
from facesieve.faces.vectors import Floats, Halves, Indices, half_unit
from facesieve.link.kernels.impostor_line import Line, tail_line

FEWEST = 5
"""People below which nothing is estimated."""

_STUDENT = {4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262, 10: 2.228}
"""Quantile 0.975 of Student's t by degrees of freedom. Beyond 10 that of 10 is taken, which is too wide."""


class UncertainLine(NamedTuple):
    """An impostor line, and the interval in which the cosine of a false match rate lies with 95 %."""

    line: Line
    low: float
    high: float


def line_of_few(vectors: Halves, people: Indices, rate: float) -> UncertainLine | None:
    """Estimate the impostor line from the pairs across few people; None below FEWEST people.

    Shapes: vectors float16 [n, D], people int64 [n]. rate: the false match rate whose cosine gets the interval.
    Pairs are not clipped: the labels must be right.

    >>> line_of_few(np.eye(4, dtype=np.float16), np.arange(4), 0.01) is None
    True
    """
    _, codes = np.unique(people, return_inverse=True)
    count = int(codes.max(initial=-1)) + 1
    if count < FEWEST:
        return None
    heights = _heights(half_unit(vectors), codes, count)
    every = np.ones(count, np.bool_)
    line = _line(heights, every)
    without = np.array([cosine_at(rate, _line(heights, np.arange(count) != left)) for left in range(count)])
    error = math.sqrt((count - 1) / count * float(((without - without.mean()) ** 2).sum()))
    half = _STUDENT[min(count - 1, max(_STUDENT))] * error
    cosine = cosine_at(rate, line)
    return UncertainLine(line, cosine - half, cosine + half)


def _heights(rows: Floats, codes: Indices, count: int) -> Indices:
    """Cosines of each pair of people, counted in bins: int64 [count, count, BINS], filled below the diagonal."""
    heights = np.zeros((count, count, BINS), np.int64)
    for person in range(count):
        for other in range(person):
            heights[person, other] = counted((rows[codes == person] @ rows[codes == other].T).ravel())
    return heights


def _line(heights: Indices, chosen: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Line:
    total = heights[np.ix_(chosen, chosen)].sum(axis=(0, 1))
    ranks = np.concatenate([[0.0], np.cumsum(total, dtype=np.float64)])
    intercept, slope = tail_line(ranks, EDGES)
    return Line(intercept, slope, "few", int(ranks[-1]))

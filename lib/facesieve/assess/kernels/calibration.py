"""What a model's cosines mean, read off folders that bear names: impostors, the same person, and the cosine between.

Folders are noisy: a share of the pairs inside them is of impostors. Their cosines are those of pairs across folders, so
what is measured inside is a mixture of two distributions of which one is known, and the other follows by subtraction.
The share of impostors is read off where one person's faces almost never are: below the impostors' median.

How much noise that bears (LFW's 158 people of 10 and more, impostors planted into their folders, half of them one other
person, three seeds; lowest to highest; F of the kept images at 1 % and 5 % by the line, structure score, cut 0.27):

| model, planted | impostors' pairs | cosine for 1 % of impostors | one person's quantiles 0.01, 0.1, 0.5 | F |
| --- | --- | --- | --- | --- |
| FaceNet, none | 0.001 | 0.413 to 0.415 | 0.37 to 0.39, 0.60, 0.77 | 0.998 |
| FaceNet, 10 % | 0.20 | 0.410 to 0.413 | 0.42 to 0.47, 0.61, 0.77 | 0.998 |
| FaceNet, 30 % | 0.49 to 0.52 | 0.406 to 0.411 | 0.18 to 0.51, 0.57 to 0.62, 0.76 to 0.77 | 0.997 to 0.998 |
| FaceNet, 50 % | 0.68 to 0.73 | 0.409 to 0.414 | 0.09 to 0.60, 0.33 to 0.66, 0.75 to 0.78 | 0.994 to 0.997 |
| MobileFaceNet, none | 0.003 | 0.239 to 0.240 | 0.17 to 0.19, 0.46 to 0.47, 0.66 | 0.995 |
| MobileFaceNet, 10 % | 0.19 to 0.20 | 0.237 to 0.240 | 0.09 to 0.23, 0.45 to 0.47, 0.66 | 0.995 |
| MobileFaceNet, 30 % | 0.48 to 0.53 | 0.237 to 0.239 | 0.08 to 0.40, 0.40 to 0.51, 0.65 to 0.67 | 0.994 to 0.995 |
| MobileFaceNet, 50 % | 0.69 to 0.73 | 0.237 to 0.238 | 0.02 to 0.41, 0.34 to 0.51, 0.65 to 0.67 | 0.995 |

So thresholds inside folders come from the impostor line alone. (The cosine where both errors are equal needs the low
quantiles: from 0.40 and 0.22 it moved to anywhere from 0.34 to 0.48 and from 0.18 to 0.35 with 30 % planted.) F hardly
depends on them: at cosines from 0.35 to 0.50 with lines from 0.25 to 0.35 (FaceNet), or 0.15 to 0.30 with 0.05 to 0.15
(MobileFaceNet), it stays within 0.0025 (10, 30 and 50 % planted, one draw each).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from facesieve.faces.vectors import Floats, Halves, Indices, half_unit, slices
from facesieve.link.kernels.impostor_line import Line

BINS = 4_000
"""Bins of equal width from -1 to 1 in which cosines are counted: finer than what a threshold is written with."""

MOST_IMPOSTOR_SHARE = 0.9
"""Share of impostor pairs inside folders above which what is left says nothing."""

_ROWS = 512


class Spread(NamedTuple):
    """How cosines spread: the share of pairs below each of the edges -1, ..., 1 (float64 [BINS + 1]), and the pairs."""

    below: Floats
    pairs: int

    def share_below(self, cosine: float) -> float:
        """Return the share of pairs below a cosine."""
        return float(np.interp(cosine, EDGES, self.below))

    def quantiles(self, probabilities: Sequence[float]) -> list[float]:
        """Return the cosines below which these shares of the pairs (above 0, at most 1) are."""
        reached = np.searchsorted(self.below, probabilities)
        return [
            float(np.interp(share, self.below[at - 1 : at + 1], EDGES[at - 1 : at + 1]))
            for share, at in zip(probabilities, reached.tolist(), strict=True)
        ]


EDGES: Floats = np.linspace(-1.0, 1.0, BINS + 1)


def across(vectors: Halves, people: Indices) -> Spread:
    """Spread of the cosines of all pairs of different people.

    Shapes: vectors float16 [n, D], people int64 [n]. Time grows with n^2: 0.2 s for 3,000 faces.

    >>> across(np.eye(2, dtype=np.float16), np.array([1, 2])).pairs
    1
    """
    rows = half_unit(vectors)
    heights = np.zeros(BINS, np.int64)
    for part in slices(len(rows), _ROWS):
        cosines = rows[part] @ rows[part.start :].T
        apart = people[part, None] != people[None, part.start :]
        heights += counted(cosines[np.triu(apart, 1)])
    return _spread(heights.astype(np.float64), int(heights.sum()))


def within(vectors: Halves, people: Indices) -> Spread:
    """Spread of the cosines of all pairs of one person, each person with the same weight.

    Shapes: vectors float16 [n, D], people int64 [n]; people with one face count for nothing.

    >>> within(np.eye(2, dtype=np.float16), np.array([7, 7])).share_below(-0.5)
    0.0
    """
    rows = half_unit(vectors)
    order = np.argsort(people, kind="stable")
    starts = np.flatnonzero(np.diff(people[order], prepend=people[order][:1] - 1))
    heights, pairs = np.zeros(BINS), 0
    for members in np.split(order, starts[1:]):
        cosines = (rows[members] @ rows[members].T)[np.triu_indices(len(members), 1)]
        if len(cosines):
            heights += counted(cosines) / len(cosines)
            pairs += len(cosines)
    return _spread(heights, pairs)


def impostor_share(folders: Spread, impostors: Spread) -> float:
    """Share of the pairs inside folders that are of impostors, from what lies below the impostors' median.

    One person's pairs that lie there count as impostors' too: an upper bound, by at most twice their share.

    >>> same, other = Spread((EDGES > 0.5) * 1.0, 1), Spread((EDGES > 0.0) * 1.0, 1)
    >>> impostor_share(Spread(0.75 * same.below + 0.25 * other.below, 1), other)
    0.25
    """
    median = int(np.searchsorted(impostors.below, 0.5))
    return float(min(1.0, folders.below[median] / max(impostors.below[median], 0.5)))


def unmixed(folders: Spread, impostors: Spread) -> Spread:
    """Spread of one person's cosines: what is measured inside folders, the impostors' share of it taken away.

    Raises ValueError if hardly anything is left (more than MOST_IMPOSTOR_SHARE is of impostors).

    >>> same, other = Spread((EDGES > 0.5) * 1.0, 1), Spread((EDGES > 0.0) * 1.0, 1)
    >>> round(unmixed(Spread(0.75 * same.below + 0.25 * other.below, 1), other).quantiles([0.5])[0], 3)
    0.5
    """
    share = impostor_share(folders, impostors)
    if share > MOST_IMPOSTOR_SHARE:
        raise ValueError(f"{share:.0%} of the pairs inside folders are of impostors, above {MOST_IMPOSTOR_SHARE:.0%}")
    left = (folders.below - share * impostors.below) / (1 - share)
    left[: int(np.searchsorted(impostors.below, 0.5)) + 1] = 0.0
    return Spread(np.clip(np.maximum.accumulate(left), 0.0, 1.0), folders.pairs)


def false_match(cosine: float, line: Line) -> float:
    """Share of impostors' pairs above a cosine, by the impostor line.

    >>> round(false_match(0.4, Line(0.038, 0.161, "identities", 1)), 4)
    0.0123
    """
    return math.erfc((cosine - line.intercept) / line.slope / math.sqrt(2)) / 2


def cosine_at(rate: float, line: Line) -> float:
    """Cosine above which this share of impostors' pairs lies, by the impostor line: the inverse of `false_match`.

    >>> round(cosine_at(0.01, Line(0.038, 0.161, "identities", 1)), 3)
    0.413
    """
    return line.intercept - line.slope * NormalDist().inv_cdf(rate)


def counted(cosines: Floats) -> Indices:
    """Count cosines in BINS bins of equal width from -1 to 1: float [n] -> int64 [BINS].

    >>> counted(np.array([-1.0, 1.0, 1.0]))[[0, -1]].tolist()
    [1, 2]
    """
    bins = ((cosines + 1) * (BINS / 2)).astype(np.int64)
    return np.bincount(np.clip(bins, 0, BINS - 1), minlength=BINS)


def _spread(heights: Floats, pairs: int) -> Spread:
    below = np.concatenate([[0.0], np.cumsum(heights)])
    return Spread(below / below[-1] if pairs else below, pairs)

"""Which faces show a protected person: whole clusters by their nearest protected faces, then each face of them.

Two tests, both against impostors, so that the same constants serve every model:

1. A face's greatest cosine to P protected faces, averaged over the n faces of its cluster, must be one that an impostor
   reaches for TOLERANCE / P of the protected faces: `cluster_cosine`. Averaging n photos of one impostor leaves SHARED
   + (1 - SHARED) / n of the variance, so that clusters need less than single faces.
2. A look-alike that the cluster took in is nearer to the protected faces than most impostors, but it is near to many
   others too. So each face, and each protected one, is measured against its own impostor line, fitted to its
   cosines with a sample of all faces (`lines`), and the two scores are averaged (`likeness`; the symmetric score
   normalisation of speaker recognition: Auckenthaler et al. 2000, Kenny 2010, here with quantiles). To leave out what
   is of the single protected photo, it is replaced by the mean of the protected faces like it (`templates`).

Measured on eight choices of 50 people of LFW, 1,000 images of whom hide among 10,600 (`tests/bench/overlap.py`); marked
of them, and of all others:

| protected images of each person | FaceNet | MobileFaceNet |
| --- | --- | --- |
| 3 to 10 | 97.2 %, 0.08 % (0.41 % by the first test alone) | 98.2 %, 0.05 % |
| 3 | 97.2 %, 0.13 % | 98.1 %, 0.08 % |
| 1 | 87.2 %, 0.16 % | 95.3 %, 0.10 % |
| 3 to 10, beside 5,000 faces of others | 82.3 %, 0.13 % | 98.0 %, 0.70 % |
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from facesieve.faces.vectors import (
    Floats,
    Halves,
    Indices,
    exact_cosine,
    exact_product,
    near_pairs,
    short_unit,
    slices,
    unit,
    wide_unit,
)

TOLERANCE = 3e-4
"""Protected impostors that a single face is expected to have above the cosine at which it is marked."""

SHARED = 0.75
"""Share of the variance of impostors' cosines that is the person's, and not the single photo's."""

FLOOR = 0.03
"""Protected impostors that a face of a marked cluster is expected to have at the likeness at which it stays marked."""

ALIKE = 0.02
"""Protected impostors that a protected face is expected to have at the likeness at which two are averaged."""

COHORT = 4_000
"""Faces that impostor lines are fitted to; fewer than FEWEST are not used."""

FEWEST = 200

_NORMAL = NormalDist()
_LOW, _HIGH = 0.80, 0.97
_Z_LOW, _Z_HIGH = _NORMAL.inv_cdf(_LOW), _NORMAL.inv_cdf(_HIGH)
_NO_IMPOSTOR = 4.0
"""Cosines beyond this z of the model's line are of the same person, of whom a small set has many: they are left out."""

_ROWS, _COLUMNS = 512, 2_048


@dataclass(frozen=True)
class Lines:
    """A impostor line for each of n faces: cosine = intercept + slope x z. Both float64 [n]."""

    intercepts: Floats
    slopes: Floats


@dataclass(frozen=True)
class Cohort:
    """What impostors look like: the model's line (intercept, slope), and a sample of all faces, float16 [k, D]."""

    line: tuple[float, float]
    faces: Halves


def quantile(impostors: float, protected: int) -> float:
    """Normal quantile above which `impostors` of so many protected faces lie.

    >>> round(quantile(3e-4, 300), 2)
    4.75
    """
    return -_NORMAL.inv_cdf(min(0.4, impostors / max(1, protected)))


def cluster_cosine(line: tuple[float, float], protected: int, sizes: Indices) -> Floats:
    """Mean of the greatest cosines from which clusters are marked.

    Shapes: sizes int64 [n], faces per cluster -> float64 [n]. line: the model's, intercept and slope.

    >>> cluster_cosine((0.038, 0.161), 300, np.array([1, 20])).round(3).tolist()
    [0.803, 0.706]
    """
    return np.asarray(line[0] + line[1] * quantile(TOLERANCE, protected) * np.sqrt(SHARED + (1 - SHARED) / sizes))


def lines(vectors: Halves, cohort: Cohort) -> Lines:
    """Fit an impostor line to each face's cosines with the cohort; the model's where those are too few.

    Shapes: float16 [n, D] -> float64 [n] each. The line goes through two quantiles, 80 and 97 %.

    >>> lines(np.eye(2, dtype=np.float16), Cohort((0.1, 0.2), np.zeros((0, 2), np.float16))).slopes.tolist()
    [0.2, 0.2]
    """
    intercepts, slopes = (np.full(len(vectors), value) for value in cohort.line)
    if len(cohort.faces) < FEWEST:
        return Lines(intercepts, slopes)
    wide, most = wide_unit(cohort.faces), cohort.line[0] + _NO_IMPOSTOR * cohort.line[1]
    for part in slices(len(vectors), _ROWS):
        cosines = np.sort(exact_product(vectors[part], cohort.faces, wide), axis=1).astype(np.float64)
        count, row = (cosines < most).sum(axis=1), np.arange(len(cosines))
        low, high = (cosines[row, (share * count).astype(np.int64)] for share in (_LOW, _HIGH))
        # A face without spread (all of the sample alike) has no line of its own.
        spread = (high - low > 0) & (count >= FEWEST // 2)
        slope = np.where(spread, (high - low) / (_Z_HIGH - _Z_LOW), cohort.line[1])
        slopes[part], intercepts[part] = slope, np.where(spread, low - slope * _Z_LOW, cohort.line[0])
    return Lines(intercepts, slopes)


def templates(protected: Halves, cohort: Cohort) -> Halves:
    """Replace each protected face by the mean of those that are like it, itself among them.

    Shapes: float16 [P, D] -> float16 [P, D] of unit length. Memory grows with P, and the pairs that are alike.

    >>> templates(np.eye(2, dtype=np.float16), Cohort((0.0, 0.1), np.zeros((0, 2), np.float16))).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    own, z = lines(protected, cohort), quantile(ALIKE, len(protected))
    needed = own.intercepts + z * own.slopes  # of two faces that are alike, one at least has it
    sums = np.zeros(protected.shape)
    for left in slices(len(protected), _ROWS):
        short = short_unit(protected[left])
        for right in slices(len(protected), _COLUMNS):
            least = min(needed[left].min(), needed[right].min())
            i, j = near_pairs(short, short_unit(protected[right]), float(least))
            i, j = i + left.start, j + right.start
            cosines = exact_cosine(protected, i, protected, j).astype(np.float64)
            alike = (i == j) | (_score(cosines, own, i, own, j) >= z)
            # Sums of float16 are exact in float64, whatever their order.
            np.add.at(sums, i[alike], protected[j[alike]].astype(np.float64))
    return unit(sums).astype(np.float16)


def likeness(vectors: Halves, protected: Halves, cohort: Cohort) -> Floats:
    """Greatest likeness of each face to the protected ones (as `templates` made them), in standard normal units.

    Shapes: float16 [n, D] and [P, D] -> float64 [n]. A face stays marked from `quantile(FLOOR, P)` on.

    >>> axes, nobody = np.eye(2, dtype=np.float16), np.zeros((0, 2), np.float16)
    >>> likeness(axes, axes[:1], Cohort((0.0, 0.1), nobody))
    array([10.,  0.])
    """
    ours, theirs, best = lines(vectors, cohort), lines(protected, cohort), np.full(len(vectors), -np.inf)
    for right in slices(len(protected), _COLUMNS):
        wide, j = wide_unit(protected[right]), np.arange(right.start, right.stop)[None, :]
        for left in slices(len(vectors), _ROWS):
            cosines = exact_product(vectors[left], protected[right], wide).astype(np.float64)
            i = np.arange(left.start, left.stop)[:, None]
            best[left] = np.maximum(best[left], _score(cosines, ours, i, theirs, j).max(axis=1))
    return best


def _score(cosines: Floats, ours: Lines, i: Indices, theirs: Lines, j: Indices) -> Floats:
    left = (cosines - ours.intercepts[i]) / ours.slopes[i]
    right = (cosines - theirs.intercepts[j]) / theirs.slopes[j]
    return np.asarray((left + right) / 2)

"""The membership score: how well a face belongs to a folder, in a unit that means the same for every model.

The unit is the spread of impostors' cosines. Impostors have cosine = intercept + slope x z (the model's line), so a
face's mean cosine a to a folder's faces stands at z = (a - intercept) / slope. Folders differ in how much their own
faces are alike (children, bad light), so z is taken relative to that:

    membership = (a - intercept) / (w - intercept) x (typical - intercept) / slope

with w the mean cosine of the folder's own pairs and `typical` the model's median cosine of one person's pairs.
Impostors come out near 0 with a spread near 1, a folder's own faces near (typical - intercept) / slope. (Normalising a
score by its cohort is the T-norm of speaker verification: Auckenthaler, Carey and Lloyd-Thomas 2000.)
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from facesieve.faces.vectors import Floats, half_unit, ordered_dot, slices

Flags = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.int64]
Shorts = npt.NDArray[np.float32]

DOUBTFUL = 2.5
"""Below this a face that its folder's main cluster holds, but not its main cluster of the scope `global`, is in doubt.

Of LFW's 158 people with 10 and more images, 10 to 50 % impostors planted (five seeds), 0.6 % of the impostors are left
without the rule and 0.2 % with it (FaceNet; MobileFaceNet 0.25 % and 0.15 %), for 0.1 % of the good images.
"""
AHEAD = 1.0
"""A face is another folder's only if its membership score is so much higher there than in its own."""

_ROWS = 8_192


class Scale(NamedTuple):
    """What a model's cosines mean: the impostor line, and the median cosine of one person's pairs."""

    intercept: float
    slope: float
    typical: float


class Likeness(NamedTuple):
    """How alike the faces of two folders are: mean cosine across, and the same relative to that within."""

    cosine: float
    ratio: float


def membership(ids: Indices, vectors: npt.NDArray[Any], core: Flags, scale: Scale) -> Shorts:
    """Score how well each face belongs to the core, itself left out; NaN where that cannot be told.

    Shapes: face ids int64 [N], vectors [N, D], core bool [N] -> float32 [N]. Without two core faces `typical` stands
    for w. NaN for the only face of a core, for all without a core, and where a core's faces are no more alike than
    impostors. Sums run by ascending id.

    >>> faces = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    >>> membership(np.array([1, 2, 3]), faces, np.array([True, True, False]), Scale(0.0, 0.25, 0.5)).tolist()
    [2.0, 2.0, 0.0]
    """
    unknown = np.full(len(ids), np.nan, np.float32)
    members = np.flatnonzero(core)
    if not len(members):
        return unknown
    total = _sum(ids[members], vectors[members])
    within = _within(total, len(members), scale)
    if within <= scale.intercept:
        return unknown
    # A cohort of one has no cosine to itself: its mean is over nothing, and 0 / 0 is the NaN that is meant.
    mean = (_along(vectors, total) - core) / np.where(len(members) > core, len(members) - core, np.nan)
    unit = (scale.typical - scale.intercept) / scale.slope
    return np.asarray((mean - scale.intercept) / (within - scale.intercept) * unit, np.float32)


def likeness(ids: tuple[Indices, Indices], vectors: tuple[Any, Any], scale: Scale) -> Likeness:
    """Compare two folders: the ratio is 1 if they are as alike as each is within itself, 0 if as impostors are.

    Shapes: face ids int64 and vectors [N, D] of each. The cosine within is the geometric mean of the two, each above
    impostors'; 0 where the faces of either are no more alike than impostors.

    >>> faces = np.array([[1.0, 0.0], [1.0, 0.0]])
    >>> likeness((np.array([1, 2]), np.array([3, 4])), (faces, faces), Scale(0.0, 0.2, 0.7))
    Likeness(cosine=1.0, ratio=1.0)
    """
    sums = [_sum(each, rows) for each, rows in zip(ids, vectors, strict=True)]
    counts = [len(each) for each in ids]
    cosine = float(ordered_dot(*sums)) / (counts[0] * counts[1])
    excess = [_within(total, count, scale) - scale.intercept for total, count in zip(sums, counts, strict=True)]
    if min(excess) <= 0:
        return Likeness(cosine, 0.0)
    return Likeness(cosine, (cosine - scale.intercept) / float(np.sqrt(excess[0] * excess[1])))


def main_cluster(clusters: Indices, counted: Flags) -> int | None:
    """Find the cluster that most of the counted faces are in; the smaller id of two; None if none counts.

    Shapes: cluster ids int64 [N], counted bool [N].

    >>> main_cluster(np.array([7, 7, 5, 5, 5]), np.array([True, True, True, True, False]))
    5
    """
    present, sizes = np.unique(clusters[counted], return_counts=True)
    return int(present[np.argmax(sizes)]) if len(present) else None


def _sum(ids: Indices, vectors: npt.NDArray[Any]) -> Floats:
    """Sum of the unit rows by ascending id, in that order."""
    order = np.argsort(ids, kind="stable")
    total = np.zeros((1, vectors.shape[1]))
    for part in slices(len(order), _ROWS):
        rows = half_unit(vectors[order[part]])
        total = np.add.accumulate(np.concatenate([total, rows]), axis=0)[-1:]
    return np.asarray(total[0])


def _within(total: Floats, count: int, scale: Scale) -> float:
    """Mean cosine of the pairs of `count` unit rows with that sum; of a single row what is typical."""
    if count < 2:
        return scale.typical
    return (float(ordered_dot(total, total)) - count) / (count * (count - 1))


def _along(vectors: npt.NDArray[Any], total: Floats) -> Floats:
    dots = np.empty(len(vectors))
    for part in slices(len(vectors), _ROWS):
        dots[part] = ordered_dot(half_unit(vectors[part]), total)
    return dots

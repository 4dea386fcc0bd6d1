"""Which face speaks for an image, and which face of its people is nearest to it: the evidence behind a verdict."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from facesieve.faces.vectors import BLOCK, half_unit, medoid, ordered_dot, pair_cosine, slices

Indices = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Cosines = npt.NDArray[np.float32]

NONE = -2.0
"""Below every cosine: no face found yet."""

_PAIRS = 8_192


def speakers(images: Indices, ranks: Indices, ids: Indices, vectors: npt.NDArray[Any], main: Flags) -> Indices:
    """Choose, for each image of one folder, the face nearest to the medoid of the folder's main cluster.

    Shapes: images, ranks, face ids int64 [N], vectors [N, D], main bool [N] (faces of the main cluster) -> ascending
    row numbers, one per image. Equal cosines go to the smaller rank, then the smaller id; without a main cluster the
    smallest rank speaks.

    >>> faces = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    >>> speakers(np.array([1, 2, 2]), np.array([0, 0, 1]), np.array([7, 8, 9]), faces, np.array([True, False, False]))
    array([0, 2])
    """
    if len(np.unique(images)) == len(images):
        return np.arange(len(images))
    closeness = np.zeros(len(images), np.float32)
    members = np.flatnonzero(main)
    if len(members):
        middle = vectors[members[medoid(ids[members], vectors[members])]]
        for part in slices(len(images), _PAIRS):
            closeness[part] = pair_cosine(vectors[part], np.broadcast_to(middle, vectors[part].shape))
    order = np.lexsort((ids, ranks, -closeness, images))
    return np.sort(order[_firsts(images[order])])


def nearest(ids: Indices, vectors: npt.NDArray[Any], among: Flags) -> tuple[Indices, Cosines]:
    """Find, for each face, the face of greatest cosine among the flagged ones, other than itself.

    Shapes: face ids int64 [N], vectors [N, D], among bool [N] -> row numbers int64 [N] (-1 where there is no such
    face) and cosines float32 [N] as `pair_cosine` gives them. Equal cosines go to the smaller id. Block products find
    what may be best and pairs decide it, so memory grows with N and not with its square.

    >>> nearest(np.array([1, 2, 3]), np.eye(3)[[0, 0, 1]], np.array([True, True, False]))[0].tolist()
    [1, 0, 0]
    """
    found, best = np.full(len(ids), -1), np.full(len(ids), NONE, np.float32)
    flagged = np.flatnonzero(among)
    if len(ids) < 2 or not len(flagged):
        return found, best
    flagged = flagged[np.argsort(ids[flagged], kind="stable")]
    rows = np.empty(vectors.shape)
    for part in slices(len(rows), _PAIRS):
        rows[part] = half_unit(vectors[part])
    short = rows.astype(np.float32)
    for asked in slices(len(ids), BLOCK):
        for offered in slices(len(flagged), BLOCK):
            i, j = _may_be_best(short, asked, flagged[offered], best[asked])
            _improve(rows, i, j, found, best)
    return found, best


def _may_be_best(short: Cosines, asked: slice, offered: Indices, best: Cosines) -> tuple[Indices, Indices]:
    """Row numbers of the pairs within the margin of the best so far; columns stay in the order of `offered`."""
    product = short[asked] @ short[offered].T
    own = np.flatnonzero((offered >= asked.start) & (offered < asked.stop))
    product[offered[own] - asked.start, own] = NONE
    margin = np.float32(4 * (short.shape[1] + 2) * 2.0**-24)  # twice the error bound of two float32 dot products
    floor = np.maximum(product.max(axis=1), best) - margin
    floor[best >= 1] = np.inf  # cannot be bettered, and equal cosines with larger ids lose
    i, j = np.nonzero(product >= np.maximum(floor, np.float32(NONE / 1.5))[:, None])
    return i + asked.start, offered[j]


def _improve(rows: npt.NDArray[np.float64], i: Indices, j: Indices, found: Indices, best: Cosines) -> None:
    """Enter the best exact pair of each `i`; pairs come by ascending id, so a later one must be better, not equal."""
    for part in slices(len(i), _PAIRS):
        left, right = i[part], j[part]
        exact = ordered_dot(rows[left], rows[right]).astype(np.float32)
        order = np.lexsort((np.arange(len(left)), -exact, left))
        first = order[_firsts(left[order])]
        better = first[exact[first] > best[left[first]]]
        found[left[better]], best[left[better]] = right[better], exact[better]


def _firsts(ordered: Indices) -> Flags:
    return np.concatenate(([True], ordered[1:] != ordered[:-1]))

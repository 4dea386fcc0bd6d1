"""Which face speaks for an image, and which face is nearest to it: the evidence behind a verdict."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from facesieve.faces.vectors import (
    BLOCK,
    Cosines,
    Halves,
    Indices,
    Shorts,
    exact_cosine,
    medoid,
    pair_cosine,
    short_unit,
    slices,
)

Flags = npt.NDArray[np.bool_]

NONE = -2.0
"""Below every cosine: there is no face."""

_ROWS, _PAIRS = 512, 8_192


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
    face) and cosines float32 [N] as `pair_cosine` gives them. Equal cosines go to the smaller id.

    >>> nearest(np.array([1, 2, 3]), np.eye(3)[[0, 0, 1]], np.array([True, True, False]))[0].tolist()
    [1, 0, 0]
    """
    flagged = np.flatnonzero(among)
    flagged = flagged[np.argsort(ids[flagged], kind="stable")]
    own = np.full(len(ids), -1)
    own[flagged] = np.arange(len(flagged))
    halves = vectors.astype(np.float16)
    row, cosine = greatest(halves, halves[flagged], own)
    return np.where(row < 0, -1, np.append(flagged, -1)[row]), cosine


def greatest(vectors: Halves, offered: Halves, own: Indices | None = None) -> tuple[Indices, Cosines]:
    """Find the nearest offered face of each face: its row, and the cosine as `pair_cosine` gives it.

    Shapes: float16 [n, D] and [k, D], own int64 [n] (the row of the face itself among the offered ones, which is passed
    over; -1: none) -> int64 [n] (-1 where nothing is offered), float32 [n]. Equal cosines go to the smaller row. Block
    products find what may be greatest and pairs decide it, so memory grows with n and k and not with their product.

    >>> [rows.tolist() for rows in greatest(np.eye(2, dtype=np.float16)[:1], np.eye(2, dtype=np.float16))]
    [[0], [1.0]]
    """
    row, best = np.full(len(vectors), -1), np.full(len(vectors), NONE, np.float32)
    own = np.full(len(vectors), -1) if own is None else own
    for columns in slices(len(offered), BLOCK):
        right = short_unit(offered[columns])
        for asked in slices(len(vectors), _ROWS):
            i, j = _may_be_greatest(short_unit(vectors[asked]), right, own[asked] - columns.start, best[asked])
            _improve(row, best, i + asked.start, j + columns.start, vectors, offered)
    return row, best


def _may_be_greatest(left: Shorts, right: Shorts, own: Indices, best: Cosines) -> tuple[Indices, Indices]:
    """Row numbers of the pairs within the margin of the best so far, in row-major order."""
    product = left @ right.T
    here = np.flatnonzero((own >= 0) & (own < len(right)))
    product[here, own[here]] = NONE
    margin = np.float32(4 * (left.shape[1] + 2) * 2.0**-24)  # twice the error bound of two float32 dot products
    floor = np.maximum(product.max(axis=1), best) - margin
    floor[best >= 1] = np.inf  # cannot be bettered, and equal cosines with larger rows lose
    i, j = np.nonzero(product >= np.maximum(floor, np.float32(NONE / 1.5))[:, None])
    return i, j


def _improve(row: Indices, best: Cosines, i: Indices, j: Indices, vectors: Halves, offered: Halves) -> None:
    """Enter the best exact pair of each `i`; rows come in ascending order, so a later one must be better, not equal."""
    for part in slices(len(i), _PAIRS):
        left, right = i[part], j[part]
        exact = exact_cosine(vectors, left, offered, right)
        order = np.lexsort((right, -exact, left))
        first = order[_firsts(left[order])]
        better = first[exact[first] > best[left[first]]]
        row[left[better]], best[left[better]] = right[better], exact[better]


def _firsts(ordered: Indices) -> Flags:
    return np.concatenate(([True], ordered[1:] != ordered[:-1]))

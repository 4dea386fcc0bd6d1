"""Voronoi LSH with learned pivots and multi-probe: to which cells a face goes.

A face's hash is the nearest of m pivots (its home cell); it also probes its next cells. A pair is a candidate when
one's home is among the other's probes.

Pivots are faces, chosen by id hash, that are less alike than the link cosine, and refined by two Lloyd steps. Without
that distance a person with many images takes many pivots, and the cells cut that person's edges: on LFW (FaceNet,
cosine 0.603, m = 345, 2 probes) recall is 0.69 without it and 0.98 with it.
"""

from __future__ import annotations

import math
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from facesieve.faces.hashing import id_hash
from facesieve.faces.vectors import Floats, Halves, Indices, Shorts, half_unit, ordered_dot, short_unit, slices, unit

Pivots = npt.NDArray[np.float32]
Probes = npt.NDArray[np.int32]
Nearest = TypeVar("Nearest", Floats, Shorts)

PIVOTS_PER_ROOT = 2.5
"""m = 2.5 sqrt(N): work grows like N^1.5, and finding the cells costs about as much as comparing in them."""

SAMPLE_PER_PIVOT = 32
LLOYD_STEPS = 2
NO_MARGIN = 4.0
"""A margin that prunes nothing: cosines differ by at most 2."""

PRUNED = -1

_ROUTED = 512
_EXACT = 16
_TRIED = 256
_SPARE = 4
_FARTHEST, _NONE = 2.0, -8.0


def pivot_count(faces: int) -> int:
    """Number of cells for so many faces: round(2.5 sqrt N), from 1 to N.

    >>> pivot_count(13_233)
    288
    """
    return max(1, min(faces, round(PIVOTS_PER_ROOT * math.sqrt(faces))))


def learn_pivots(ids: Indices, vectors: Halves, count: int, apart: float) -> Pivots:
    """Choose up to `count` faces by id hash, no two with cosine `apart` or more, and refine them by two Lloyd steps.

    Shapes: ids int64 [N], vectors float16 [N, D] -> float32 [m, D] of unit length, m at least 1 and at most `count`.
    The row order of the input does not matter.

    >>> learn_pivots(np.array([1, 2, 3]), np.eye(2, dtype=np.float16)[[0, 1, 1]], 3, 0.9).shape
    (2, 2)
    """
    ordered = short_unit(vectors[np.argsort(id_hash(ids, 0), kind="stable")])
    pivots = _spread(ordered, count, apart)
    for _ in range(LLOYD_STEPS):
        pivots = _lloyd(ordered, pivots)
    return pivots


def _spread(faces: Shorts, count: int, apart: float) -> Pivots:
    """Take faces in order, leaving out those that are near one taken before."""
    taken = np.empty((count, faces.shape[1]), np.float32)
    pivots = 0
    for part in slices(len(faces), _TRIED):
        tried = faces[part]
        free = np.asarray((tried @ taken[:pivots].T < apart).all(axis=1))
        alike = tried @ tried.T >= apart
        for row in np.flatnonzero(free):
            if free[row]:
                taken[pivots], pivots = tried[row], pivots + 1
                free[alike[row]] = False
            if pivots == count:
                return taken
    return taken[:pivots].copy()


def _lloyd(faces: Shorts, pivots: Pivots) -> Pivots:
    """Move each pivot to the mean direction of the faces at home in its cell; empty cells stay."""
    homes = np.concatenate([np.argmax(faces[part] @ pivots.T, axis=1) for part in slices(len(faces), _ROUTED)])
    order = np.argsort(homes, kind="stable")
    cells, starts = np.unique(homes[order], return_index=True)
    means = pivots.copy()
    sums = np.add.reduceat(faces[order].astype(np.float64), starts, axis=0)
    means[cells] = unit(sums).astype(np.float32)
    return np.where(np.any(means != 0, axis=1)[:, None], means, pivots)


def route(vectors: Halves, pivots: Pivots, probes: int, margin: float) -> Probes:
    """Find the cells of each face: its home, and up to `probes` - 1 next ones that are at most `margin` less near.

    Shapes: float16 [N, D], float32 [m, D] of unit length, probes from 1 to m, margin in cosine -> int32 [N, probes]:
    the home first, then the others in ascending order, PRUNED behind them. Ties go to the lower pivot index. A float32
    block product decides where it can; where it is in doubt, float64 sums in index order do, so that the result
    depends on nothing but the face and the pivots.

    >>> route(np.array([[1, 0.5]], np.float16), np.eye(3, 2, dtype=np.float32), 3, 0.7).tolist()
    [[0, 1, -1]]
    """
    wide = pivots.astype(np.float64)
    cells = np.empty((len(vectors), probes), np.int32)
    for part in slices(len(vectors), _ROUTED):
        cells[part] = _routed(vectors[part], pivots, wide, probes, margin)
    return cells


def _routed(faces: Halves, pivots: Pivots, wide: Floats, probes: int, margin: float) -> Probes:
    product = short_unit(faces) @ pivots.T
    doubt = _doubt(faces.shape[1])
    cells, near = _shortlist(product, min(len(pivots), probes + _SPARE), margin + doubt)
    crowded = (near[:, -1] >= near[:, probes - 1] - doubt) & (near[:, -1] > _NONE) & (near.shape[1] < len(pivots))
    doubtful = np.flatnonzero(_doubtful(near, probes, margin, doubt) & ~crowded)
    for part in slices(len(doubtful), _EXACT):
        rows = doubtful[part]
        cells[rows], near[rows] = _exact_order(faces[rows], wide, cells[rows], near[rows])
    every = np.arange(len(pivots))[None]
    for row in np.flatnonzero(crowded):
        ordered, exact = _exact_order(faces[row, None], wide, every, product[row, None])
        cells[row], near[row] = ordered[0, : near.shape[1]], exact[0, : near.shape[1]]
    return _listed(cells[:, :probes], near[:, :probes], margin)


def _doubt(dimension: int) -> float:
    # A float32 product of unit vectors, themselves rounded, errs by less than 3/4 D eps; two are compared.
    return float(2 * (dimension + 4) * np.finfo(np.float32).eps)


def _shortlist(product: Shorts, width: int, reach: float) -> tuple[Indices, Floats]:
    """Rank the cells at most `reach` less near than the nearest, or, of more, the `width` nearest; then _NONE."""
    cells, near = np.zeros((len(product), width), np.int64), np.full((len(product), width), _NONE)
    many = np.ones(len(product), np.bool_)
    if reach < _FARTHEST:
        flat = np.flatnonzero(product >= product.max(axis=1, keepdims=True) - np.float32(reach))
        starts = np.searchsorted(flat, np.arange(len(product) + 1) * product.shape[1])
        many = np.diff(starts) > width
        row, cell = np.divmod(flat, product.shape[1])
        place = np.arange(len(flat)) - starts[row]
        fits = place < width
        to = row[fits] * width + place[fits]
        cells.reshape(-1)[to], near.reshape(-1)[to] = cell[fits], product.reshape(-1)[flat[fits]]
    if many.any():
        cells[many], near[many] = nearest_cells(product if many.all() else product[many], width)
    return nearest_first(cells, near)


def nearest_cells(product: Shorts, width: int) -> tuple[Indices, Shorts]:
    """Find the `width` nearest cells of each face, in ascending order: cells and products.

    Shapes: products of faces with pivots, float32 [n, m], width from 1 to m -> int64 [n, width], float32 [n, width].

    >>> [part.tolist() for part in nearest_cells(np.array([[0.5, 0.25, 0.75]], np.float32), 2)]
    [[[0, 2]], [[0.5, 0.75]]]
    """
    last = product.shape[1] - width
    cells = np.sort(np.argpartition(product, last, axis=1)[:, last:], axis=1)
    return cells, np.take_along_axis(product, cells, axis=1)


def nearest_first(cells: Indices, near: Nearest) -> tuple[Indices, Nearest]:
    """Order cells [n, k] and their products [n, k] by falling product; ties go to the cell that stands first.

    >>> [part.tolist() for part in nearest_first(np.array([[0, 2]]), np.array([[0.5, 0.75]]))]
    [[[2, 0]], [[0.75, 0.5]]]
    """
    order = np.argsort(-near, axis=1, kind="stable")
    return np.take_along_axis(cells, order, axis=1), np.take_along_axis(near, order, axis=1)


def _doubtful(near: Floats, probes: int, margin: float, doubt: float) -> npt.NDArray[np.bool_]:
    """Rows in which the home, the last probe or what the margin prunes might differ by rounding."""
    gaps = near[:, :1] - near
    unsure = (np.abs(gaps[:, :probes] - margin) < doubt).any(axis=1)
    if near.shape[1] > 1:
        unsure |= gaps[:, 1] < doubt
    if near.shape[1] > probes:
        unsure |= (gaps[:, probes] - gaps[:, probes - 1] < doubt) & (gaps[:, probes - 1] <= margin + doubt)
    return np.asarray(unsure)


def _exact_order(faces: Halves, wide: Floats, cells: Indices, near: npt.NDArray[Any]) -> tuple[Indices, Floats]:
    """Rank cells [n, k] of each face by float64 sums in index order, ties to the lower; _NONE comes last."""
    exact = ordered_dot(wide[cells], half_unit(faces)[:, None])
    exact = np.where(near > _NONE, exact, _NONE)
    order = np.lexsort((cells, -exact), axis=-1)
    return np.take_along_axis(cells, order, axis=1), np.take_along_axis(exact, order, axis=1)


def _listed(cells: Indices, near: Floats, margin: float) -> Probes:
    """The home first, the others ascending, then PRUNED."""
    listed = np.where(near[:, :1] - near <= margin, cells, np.iinfo(np.int32).max)
    listed[:, 1:] = np.sort(listed[:, 1:], axis=1)
    listed[listed == np.iinfo(np.int32).max] = PRUNED
    return listed.astype(np.int32)


def is_candidate(probes: Probes, others: Probes) -> npt.NDArray[np.bool_]:
    """Say of each pair whether it is a candidate: one's home is among the other's probes.

    Shapes: int32 [P, r] and [P, r] -> bool [P].

    >>> [is_candidate(np.array([[0, 1]]), np.array([other])).tolist() for other in ([2, 0], [2, 1])]
    [[True], [False]]
    """
    back = (probes == others[:, :1]).any(axis=1)
    return np.asarray(back | (others == probes[:, :1]).any(axis=1))

"""Voronoi LSH with learned pivots and multi-probe: which faces are compared, each pair once.

A face's home is the cell of its nearest pivot; it also probes its next cells. A pair is a candidate when one's home is
among the other's probes. Decisions rest on index-order float64 sums, so cells do not depend on batches or threads.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facesieve.kernels.vectors import BLOCK, Floats, Halves, Hits, Indices, half_unit, hits, ordered_dot, slices, unit

Pivots = npt.NDArray[np.float32]
Probes = npt.NDArray[np.int32]

PIVOTS_PER_ROOT = 9.16
"""m = 9.16 sqrt(N): 4,096 cells for 200,000 faces, where routing and comparing cost about the same."""

PROBES = 4
SAMPLE_PER_PIVOT = 32
LLOYD_STEPS = 2

_ROUTED = 512
_SPARE = 4


@dataclass(frozen=True)
class Members:
    """Faces in a cell: ids int64 [n], probes int32 [n, r] (the home cell first), vectors float16 [n, D]."""

    ids: Indices
    probes: Probes
    vectors: Halves


def pivot_count(faces: int) -> int:
    """Number of cells for so many faces: round(9.16 sqrt N), from 1 to N.

    >>> pivot_count(13_233)
    1054
    """
    return max(1, min(faces, round(PIVOTS_PER_ROOT * math.sqrt(faces))))


def id_hash(ids: Indices, seed: int) -> npt.NDArray[np.uint64]:
    """Mix ids to 64 well-spread bits (splitmix64, Steele et al. 2014): equal ids and seed, equal draw, anywhere.

    Shapes: int64 [N] -> uint64 [N]; a bijection for each seed.

    >>> id_hash(np.array([0, 1]), 0).tolist()
    [16294208416658607535, 10451216379200822465]
    """
    mixed = ids.astype(np.uint64) + np.uint64((seed + 1) * 0x9E3779B97F4A7C15 % 2**64)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)), dtype=np.uint64)


def nearest(vectors: Halves, pivots: Pivots, probes: int) -> Probes:
    """Find each face's nearest pivots, nearest first; ties go to the lower pivot index.

    Shapes: float16 [N, D], float32 [m, D] of unit length, probes from 1 to m -> int32 [N, probes]. A float32 block
    product shortlists; the order is decided by index-order float64 sums.

    >>> nearest(np.array([[1, 0.1]], np.float16), np.eye(2, dtype=np.float32), 2).tolist()
    [[0, 1]]
    """
    wide = pivots.astype(np.float64)
    found = np.empty((len(vectors), probes), np.int32)
    for part in slices(len(vectors), _ROUTED):
        found[part] = _nearest_of_block(half_unit(vectors[part]), pivots, wide, probes)
    return found


def _nearest_of_block(faces: Floats, pivots: Pivots, wide: Floats, probes: int) -> Probes:
    product = faces.astype(np.float32) @ pivots.T
    kept = min(len(pivots), probes + _SPARE)
    short = np.argpartition(product, len(pivots) - kept, axis=1)[:, len(pivots) - kept :]
    exact = ordered_dot(wide[short], faces[:, None, :])
    ranked = np.lexsort((short, -exact), axis=1)[:, :probes]
    found = np.take_along_axis(short, ranked, axis=1).astype(np.int32)
    if kept == len(pivots):
        return found
    # D x eps bounds the error of a float32 product of unit vectors: whoever is that near the last probe was in doubt.
    last = np.take_along_axis(exact, ranked[:, -1:], axis=1)[:, 0]
    worst = np.take_along_axis(product, short, axis=1).min(axis=1)
    for row in np.nonzero(worst >= last - faces.shape[1] * np.finfo(np.float32).eps)[0]:
        found[row] = np.argsort(-ordered_dot(wide, faces[row]), kind="stable")[:probes]
    return found


def learn_pivots(ids: Indices, vectors: Halves, count: int) -> Pivots:
    """Choose `count` distinct faces by id hash as pivots and refine them by two Lloyd steps on all faces given.

    Shapes: ids int64 [N], vectors float16 [N, D] -> float32 [m, D] of unit length, m at most `count` (fewer when there
    are fewer distinct vectors). The row order of the input does not matter.

    >>> learn_pivots(np.array([1, 2]), np.eye(2, dtype=np.float16), 2).shape
    (2, 2)
    """
    ordered = vectors[np.argsort(id_hash(ids, 0), kind="stable")]
    pivots = half_unit(ordered[_first_distinct(ordered, count)]).astype(np.float32)
    for _ in range(LLOYD_STEPS):
        pivots = _lloyd(ordered, pivots)
    return pivots


def _first_distinct(vectors: Halves, count: int) -> list[int]:
    # An equal pivot would be a cell where no face is ever at home, and would waste a probe of every face near it.
    first: dict[bytes, int] = {}
    for row, vector in enumerate(vectors):
        first.setdefault(vector.tobytes(), row)
        if len(first) == count:
            break
    return list(first.values())


def _lloyd(vectors: Halves, pivots: Pivots) -> Pivots:
    """Move each pivot to the mean direction of the faces at home in its cell; empty cells stay."""
    homes = nearest(vectors, pivots, 1)[:, 0]
    sums = np.zeros(pivots.shape)
    for part in slices(len(vectors), BLOCK):
        np.add.at(sums, homes[part], half_unit(vectors[part]))
    means = unit(sums).astype(np.float32)
    return np.where(np.any(means != 0, axis=1)[:, None], means, pivots)


def tournament(ids: Indices, cells: int) -> Probes:
    """Probe lists under which every pair is a candidate exactly once: the oracle that compares all.

    `cells` is odd. A face's home is its id hash modulo `cells`; it also visits the (cells - 1) / 2 cells before it,
    going round, so that of any two cells one is visited by the other. Shapes: int64 [N] -> int32 [N, (cells + 1) / 2].

    >>> tournament(np.array([0]), 5).tolist()
    [[0, 4, 3]]
    """
    homes = (id_hash(ids, 0) % np.uint64(cells)).astype(np.int64)
    return ((homes[:, None] - np.arange((cells + 1) // 2)) % cells).astype(np.int32)


def home_pairs(homes: Members, cosine: float) -> Iterator[Hits]:
    """Pairs of faces at home in one cell with cosine at or above `cosine`, block by block.

    Yields indices i, j with ids[i] < ids[j], and exact cosines float32.

    >>> cell = Members(np.array([2, 1]), np.zeros((2, 1), np.int32), np.ones((2, 2), np.float16))
    >>> [(i.tolist(), j.tolist()) for i, j, _ in home_pairs(cell, 0.5)]
    [([1], [0])]
    """
    order = np.argsort(homes.ids)
    for lower in slices(len(order), BLOCK):
        low = half_unit(homes.vectors[order[lower]])
        for upper in slices(len(order), BLOCK):
            if upper.start < lower.start:
                continue
            i, j, exact = hits(low, half_unit(homes.vectors[order[upper]]), cosine)
            ascending = i + lower.start < j + upper.start
            i, j = i[ascending] + lower.start, j[ascending] + upper.start
            yield order[i], order[j], exact[ascending]


def visitor_pairs(homes: Members, visitors: Members, cosine: float) -> Iterator[Hits]:
    """Pairs of a face at home in a cell with one that probes it, less those that the visitor's home cell emits.

    Both come from one cell, `visitors` having another home. Yields indices into homes, indices into visitors, and
    exact cosines float32, block by block: a pair whose faces probe each other's homes is left to the lower cell.

    >>> one = Members(np.array([1]), np.array([[0, 1]], np.int32), np.ones((1, 2), np.float16))
    >>> two = Members(np.array([2]), np.array([[1, 0]], np.int32), np.ones((1, 2), np.float16))
    >>> [len(i) for i, _, _ in visitor_pairs(one, two, 0.5)], [len(i) for i, _, _ in visitor_pairs(two, one, 0.5)]
    ([1], [0])
    """
    for home in slices(len(homes.ids), BLOCK):
        at_home = half_unit(homes.vectors[home])
        for visiting in slices(len(visitors.ids), BLOCK):
            i, j, exact = hits(at_home, half_unit(visitors.vectors[visiting]), cosine)
            i, j = i + home.start, j + visiting.start
            cell, elsewhere = homes.probes[i, 0], visitors.probes[j, 0]
            here = (homes.probes[i] != elsewhere[:, None]).all(axis=1) | (cell < elsewhere)
            yield i[here], j[here], exact[here]

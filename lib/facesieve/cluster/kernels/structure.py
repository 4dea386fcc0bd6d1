"""Structure score of an edge: is it strong, and do its ends share their neighbours?

The score of the edge (a, b) is (g + W) / 2. g is the gain of its cosine above the impostor line. W is the weighted
Jaccard overlap of the closed neighbourhoods of its ends: sum of min(g_a(x), g_b(x)) / sum of max(g_a(x), g_b(x)). In a
closed neighbourhood a face's gain to itself is 1. (Shared neighbours: Jarvis and Patrick 1973; weighted Jaccard: Ioffe
2010.) All numbers are integers in units of 2^-20, so that no sum depends on its order.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Shorts = npt.NDArray[np.int32]
Cosines = npt.NDArray[np.float32]

SCORE_SCALE = 2**20
"""A gain, an overlap or a score of 1 is this many."""

_COMPARED = 1 << 18
"""Entries looked at in one go: bounds the memory of scoring to some 20 MB."""
_AN_OWNER, _AN_ENTRY = 1 << 12, 1 << 4
"""What an owner and an entry of its count for: at most 64 owners with 16,384 entries in one go, a table of 4 MB."""


class Hoods(NamedTuple):
    """Closed neighbourhoods of `faces` int64 [n], ascending.

    Face i has the entries starts[i] to starts[i] + sizes[i] (int64 [n] each) of others int64 [m] and gains int32 [m].
    The others are the ids of its neighbours and its own. totals: int64 [n], the sums of the gains of each face.
    """

    faces: Ints
    starts: Ints
    sizes: Ints
    totals: Ints
    others: Ints
    gains: Shorts

    def take(self, rows: Ints) -> Hoods:
        """Return the neighbourhoods of some rows, ascending int64, and their entries only."""
        sizes = self.sizes[rows]
        entries = _ranges(self.starts[rows], sizes)
        return Hoods(
            self.faces[rows], _starts(sizes), sizes, self.totals[rows], self.others[entries], self.gains[entries]
        )


def gain(cosines: Cosines, line: float) -> Ints:
    """Turn cosines into gains: floor(2^20 clip((cosine - line) / (1 - line), 0, 1)), computed in float64.

    Shapes: float32 [E] -> int64 [E]. line: the impostor line, a cosine below 1.

    >>> gain(np.array([0.25, 0.5, 0.75, 1.0], np.float32), 0.5).tolist()
    [0, 0, 524288, 1048576]
    """
    shares = (cosines.astype(np.float64) - line) / (1 - line)
    return np.floor(SCORE_SCALE * np.clip(shares, 0, 1)).astype(np.int64)


def least_vote(cut: float) -> int:
    """Return the least integer score that votes: ceil(2^20 cut).

    >>> least_vote(0.25)
    262144
    """
    return math.ceil(SCORE_SCALE * cut)


def hoods(owners: Ints, others: Ints, cosines: Cosines, line: float, most: int) -> Hoods:
    """Find the closed neighbourhoods of all owners: the `most` strongest neighbours of each, and the face itself.

    owners, others: int64 [E], cosines: float32 [E]: every edge of each owner, once. The strongest have the greatest
    cosine, among equals the smaller id.

    >>> closed = hoods(np.array([1, 1, 2]), np.array([2, 3, 1]), np.array([0.5, 0.75, 0.5], np.float32), 0.5, 1)
    >>> closed.faces.tolist(), closed.others.tolist(), closed.gains.tolist()
    ([1, 2], [1, 3, 2, 1], [1048576, 524288, 1048576, 0])
    """
    order = np.lexsort((others, -cosines, owners))
    faces, first, degrees = np.unique(owners[order], return_index=True, return_counts=True)
    sizes = np.minimum(degrees, most) + 1
    starts = _starts(sizes)
    strongest = order[_ranges(first, sizes - 1)]
    neighbour = np.ones(int(sizes.sum()), np.bool_)
    neighbour[starts] = False
    ids, gains = np.empty(len(neighbour), np.int64), np.empty(len(neighbour), np.int32)
    ids[starts], ids[neighbour] = faces, others[strongest]
    gains[starts], gains[neighbour] = SCORE_SCALE, gain(cosines[strongest], line)
    totals = np.add.reduceat(gains, starts, dtype=np.int64) if len(starts) else starts
    return Hoods(faces, starts, sizes, totals, ids, gains)


def united(parts: Sequence[Hoods]) -> Hoods:
    """Unite neighbourhoods (at least one part); a face may come more than once, always with the same.

    >>> part = hoods(np.array([1]), np.array([2]), np.array([0.5], np.float32), 0.5, 1)
    >>> united([part, part]).faces.tolist()
    [1]
    """
    shifts = _starts(np.array([len(part.others) for part in parts]))
    starts = np.concatenate([part.starts + shift for part, shift in zip(parts, shifts, strict=True)])
    faces, sizes, totals, others, gains = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("faces", "sizes", "totals", "others", "gains")
    )
    unique, rows = np.unique(faces, return_index=True)
    return Hoods(unique, starts[rows], sizes[rows], totals[rows], others, gains)


def scores(src: Ints, dst: Ints, cosines: Cosines, line: float, closed: Hoods) -> Ints:
    """Score edges whose ends are both among the faces of `closed`: (g + W) div 2, int64 [E] in the order given.

    src, dst: int64 [E]; cosines: float32 [E]. Beside some 50 bytes an edge and 30 an entry of `closed`, memory does not
    depend on how many neighbours anyone has.

    >>> src, dst, cosines = np.array([1, 1, 2]), np.array([2, 3, 3]), np.full(3, 0.75, np.float32)
    >>> both = np.append(src, dst), np.append(dst, src), np.append(cosines, cosines)
    >>> scores(src, dst, cosines, 0.5, hoods(*both, 0.5, 2)).tolist()  # g = 1/2, W = (3 / 2) / (5 / 2)
    [576716, 576716, 576716]
    """
    rows, to = np.searchsorted(closed.faces, src), np.searchsorted(closed.faces, dst)
    shared = _shared(rows, to, closed)
    overlap = SCORE_SCALE * shared // (closed.totals[rows] + closed.totals[to] - shared)
    return np.asarray((gain(cosines, line) + overlap) // 2)


def _shared(rows: Ints, to: Ints, closed: Hoods) -> Ints:
    """Sum min(g_a(x), g_b(x)) for each edge: one end's gains laid out as a table, the other's looked up in it.

    The end with the table is the owner. Edges come in portions, ordered by owner. Example of one portion, with gains
    in quarters, where the neighbourhood of face 1 is 1: 4, 2: 3, 3: 2, that of 2 is 2: 4, 1: 3, and that of 3 is
    3: 4, 1: 2.

        table of gains           edge   entries of the other end   least   sum
        owner   1   2   3         1-2   2: 4, 1: 3                  3, 3     6
            1   4   3   2         1-3   3: 4, 1: 2                  2, 2     4
            2   3   4   0         2-3   3: 4, 1: 2                  0, 2     2
    """
    order = np.argsort(rows, kind="stable")
    rows, to = rows[order], to[order]
    ids, numbers = np.unique(closed.others, return_inverse=True)
    others: Shorts = numbers.astype(np.int32)
    column = np.zeros(len(ids), np.int32)
    sums = np.empty(len(rows), np.int64)
    for part in _portions(rows, to, closed.sizes):
        owners, row = np.unique(rows[part], return_inverse=True)
        table, used = _table(owners, closed, others, column)
        sizes = closed.sizes[to[part]]
        entries = _ranges(closed.starts[to[part]], sizes)
        cells = np.repeat(row * table.shape[1], sizes)
        cells += column[others[entries]]
        least = np.minimum(table.ravel()[cells], closed.gains[entries])
        sums[order[part]] = np.add.reduceat(least, _starts(sizes), dtype=np.int64)
        column[used] = 0
    return sums


def _portions(rows: Ints, to: Ints, sizes: Ints) -> Iterator[slice]:
    """Cut edges, ordered by owner, into portions of bounded work and bounded tables."""
    new = np.append(True, rows[1:] != rows[:-1])[: len(rows)]
    work = np.cumsum(sizes[to] + new * (_AN_OWNER + _AN_ENTRY * sizes[rows]))
    start = 0
    while start < len(rows):
        done = work[start - 1] if start else 0
        end = max(start + 1, int(np.searchsorted(work, done + _COMPARED, side="right")))
        yield slice(start, end)
        start = end


def _table(owners: Ints, closed: Hoods, others: Shorts, column: Shorts) -> tuple[Shorts, Shorts]:
    """Lay out the owners' gains, int32 [owners, columns]; `column` learns the column of each face, 0 for none."""
    sizes = closed.sizes[owners]
    entries = _ranges(closed.starts[owners], sizes)
    neighbours = others[entries]
    used = np.unique(neighbours)
    column[used] = np.arange(1, len(used) + 1, dtype=np.int32)
    table = np.zeros((len(owners), len(used) + 1), np.int32)
    table[np.repeat(np.arange(len(owners)), sizes), column[neighbours]] = closed.gains[entries]
    return table, used


def _starts(sizes: Ints) -> Ints:
    return np.asarray(np.cumsum(sizes) - sizes)


def _ranges(starts: Ints, sizes: Ints) -> Ints:
    """Concatenate the ranges from starts[i], sizes[i] long."""
    return np.repeat(starts - _starts(sizes), sizes) + np.arange(int(sizes.sum()))

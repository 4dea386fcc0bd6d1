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

from facesieve.faces.vectors import slices

Ints = npt.NDArray[np.int64]
Shorts = npt.NDArray[np.int32]
Cosines = npt.NDArray[np.float32]

SCORE_SCALE = 2**20
"""A gain, an overlap or a score of 1 is this many."""

_MANY = 32
"""Edges from which on an owner is worth a step of its own."""
_WIDTH_A_SIZE = 4
"""Neighbourhoods are laid out as a matrix if they fill a fourth of it."""
_AT_ONCE = 1 << 12
"""Edges of one owner that are summed in one go: some 10 MB."""
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
    faces, first, degrees, order = _by_strength(owners, others, cosines)
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


def _by_strength(owners: Ints, others: Ints, cosines: Cosines) -> tuple[Ints, Ints, Ints, Ints]:
    """Order edges by owner, the strongest first: the owners, where each begins, how many edges each has, the order."""
    faces, owner, degrees = np.unique(owners, return_inverse=True, return_counts=True)
    # One sort of integers is faster than three of columns. Bits of floats order like the floats, below 0 in reverse.
    bits = (cosines + np.float32(0)).view(np.int32)
    strength = np.where(bits < 0, bits ^ np.int32(0x7FFFFFFF), bits).astype(np.int64)
    key = (owner.astype(np.int64) << 32) | (np.iinfo(np.int32).max - strength)
    order = np.argsort(key)
    ordered = key[order]
    same = ordered[1:] == ordered[:-1]
    tied = np.append(same, False) | np.append(False, same) if len(same) else np.zeros(len(order), np.bool_)
    ties = order[tied]
    order[tied] = ties[np.lexsort((others[ties], key[ties]))]
    return faces, _starts(degrees), degrees, order


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
    """Sum min(g_a(x), g_b(x)) for each edge. The end that comes first, a row of `closed`, is the owner of the edge.

    Owners with many edges are compared with all their other ends at once, the edges of the others go one by one.
    """
    ids, numbers = np.unique(closed.others, return_inverse=True)
    gains = _Gains(closed, numbers.astype(np.int32), np.zeros(len(ids) + 1, np.int32))
    order = np.argsort(rows, kind="stable")
    even = _WIDTH_A_SIZE * len(closed.others) >= len(closed.sizes) * closed.sizes.max(initial=0)
    many = np.bincount(rows, minlength=len(closed.faces))[rows[order]] >= _MANY if even else np.zeros(len(order), bool)
    sums = np.empty(len(rows), np.int64)
    for chosen, summed in ((order[many], _by_owner), (order[~many], _by_edge)):
        sums[chosen] = summed(rows[chosen], to[chosen], gains)
    return sums


class _Gains(NamedTuple):
    """Neighbourhoods of which the neighbours are numbered from 0.

    numbers: int32 [m], of each entry. by_number: int32, a place for each number and one more, all 0 between uses.
    """

    closed: Hoods
    numbers: Shorts
    by_number: Shorts

    def entries(self, faces: Ints) -> Ints:
        """Return where the entries of faces are, those of one face behind those of the one before."""
        return _ranges(self.closed.starts[faces], self.closed.sizes[faces])

    def padded(self) -> tuple[Shorts, Shorts]:
        """Return numbers and gains as matrices with a row for each face; behind its entries the last number, gain 0."""
        shape = len(self.closed.sizes), int(self.closed.sizes.max(initial=0))
        filled = np.arange(shape[1]) < self.closed.sizes[:, None]
        entries = self.entries(np.arange(shape[0]))
        numbers, gains = np.full(shape, len(self.by_number) - 1, np.int32), np.zeros(shape, np.int32)
        numbers[filled], gains[filled] = self.numbers[entries], self.closed.gains[entries]
        return numbers, gains


def _by_owner(rows: Ints, to: Ints, every: _Gains) -> Ints:
    """Sum owner by owner, ordered by owner: its gains by number, looked up by all entries of the other ends.

    Example: as in `_by_edge`, for the owner 1, whose gains by number are 4, 3, 2.

        edge   entries of the other end   gains of the owner   least     sum
         1-2    2: 4   1: 3                3   4                3   3      6
         1-3    3: 4   1: 2                2   4                2   2      4
    """
    sums = np.empty(len(rows), np.int64)
    numbers, gains = every.padded() if len(rows) else (every.numbers, every.by_number)
    ends = np.append(np.flatnonzero(np.diff(rows)) + 1, len(rows))
    start = 0
    for end in ends.tolist():
        owner = rows[start:end][:1]
        every.by_number[numbers[owner]] = gains[owner]
        for part in slices(end - start, _AT_ONCE):
            others = to[start:end][part]
            least = every.by_number.take(numbers.take(others, axis=0))
            np.minimum(least, gains.take(others, axis=0), out=least)
            sums[start:end][part] = least.sum(axis=1, dtype=np.int64)
        every.by_number[numbers[owner]] = 0
        start = end
    return sums


def _by_edge(rows: Ints, to: Ints, every: _Gains) -> Ints:
    """Sum edge by edge, ordered by owner: the owners' gains laid out as a table, looked up by the other ends' entries.

    Example of one portion, with gains in quarters, where the neighbourhood of face 1 is 1: 4, 2: 3, 3: 2, that of 2 is
    2: 4, 1: 3, and that of 3 is 3: 4, 1: 2.

        table of gains           edge   entries of the other end   least   sum
        owner   1   2   3         1-2   2: 4, 1: 3                  3, 3     6
            1   4   3   2         1-3   3: 4, 1: 2                  2, 2     4
            2   3   4   0         2-3   3: 4, 1: 2                  0, 2     2
    """
    closed, sums = every.closed, np.empty(len(rows), np.int64)
    for part in _portions(rows, to, closed.sizes):
        owners, row = np.unique(rows[part], return_inverse=True)
        table, used = _table(owners, every)
        sizes, entries = closed.sizes[to[part]], every.entries(to[part])
        cells = np.repeat(row * table.shape[1], sizes)
        cells += every.by_number[every.numbers[entries]]
        least = np.minimum(table.ravel()[cells], closed.gains[entries])
        sums[part] = np.add.reduceat(least, _starts(sizes), dtype=np.int64)
        every.by_number[used] = 0
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


def _table(owners: Ints, every: _Gains) -> tuple[Shorts, Shorts]:
    """Lay out the owners' gains, int32 [owners, columns]; `by_number` learns the column of each number, 0 for none."""
    entries = every.entries(owners)
    numbers = every.numbers[entries]
    used = np.unique(numbers)
    every.by_number[used] = np.arange(1, len(used) + 1, dtype=np.int32)
    table = np.zeros((len(owners), len(used) + 1), np.int32)
    table[np.repeat(np.arange(len(owners)), every.closed.sizes[owners]), every.by_number[numbers]] = every.closed.gains[
        entries
    ]
    return table, used


def _starts(sizes: Ints) -> Ints:
    return np.asarray(np.cumsum(sizes) - sizes)


def _ranges(starts: Ints, sizes: Ints) -> Ints:
    """Concatenate the ranges from starts[i], sizes[i] long."""
    return np.repeat(starts - _starts(sizes), sizes) + np.arange(int(sizes.sum()))

"""Structure score of an edge: is it strong, and do its ends share their neighbours?

The score of the edge (a, b) is (g + W) / 2. g is the gain of its cosine above the impostor line. W is the weighted
Jaccard overlap of the closed neighbourhoods of its ends: sum of min(g_a(x), g_b(x)) / sum of max(g_a(x), g_b(x)). In a
closed neighbourhood a face's gain to itself is 1. (Shared neighbours: Jarvis and Patrick 1973; weighted Jaccard: Ioffe
2010.) All numbers are integers in units of 2^-20, so that no sum depends on its order.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from facesieve.cluster.kernels.neighbourhoods import SCORE_SCALE, Cosines, Hoods, Ints, Shorts, gain, ranges, starts_of
from facesieve.faces.vectors import slices

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


def least_vote(cut: float) -> int:
    """Return the least integer score that votes: ceil(2^20 cut).

    >>> least_vote(0.25)
    262144
    """
    return math.ceil(SCORE_SCALE * cut)


def scores(src: Ints, dst: Ints, cosines: Cosines, line: float, closed: Hoods) -> Ints:
    """Score edges whose ends are both among the faces of `closed`: (g + W) div 2, int64 [E] in the order given.

    src, dst: int64 [E]; cosines: float32 [E]. Beside some 50 bytes an edge and 30 an entry of `closed`, memory does not
    depend on how many neighbours anyone has.

    >>> from facesieve.cluster.kernels.neighbourhoods import hoods
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
        return ranges(self.closed.starts[faces], self.closed.sizes[faces])

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
        sums[part] = np.add.reduceat(least, starts_of(sizes), dtype=np.int64)
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

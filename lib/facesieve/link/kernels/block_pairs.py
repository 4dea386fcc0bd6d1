"""Block pairs: the pairs of a sub-cell that are edges, and, where faces have many neighbours, only the strongest.

Thinning keeps a pair if either end has it among its `most` + 1 strongest of those looked at together. Whatever is among
a face's `most` strongest of all is also among them in any part, so nothing is lost. A face that has more than `most`
neighbours still shows it. The exact cap over all parts comes later (`degree_cap`).

Six faces of a sub-cell, residents 1 to 4 and visitors 5 and 6, cosine 0.6 or more:

    block pair                       products                near pairs   edges, `most` = 1
    residents with themselves        12 13 14 23 24 34       12 13 14 23  12 13 14 (23: third of face 2 and of face 3)
    residents with visitors          15 16 25 26 35 36 45 46 25 36        25 36

Cosines: 12 0.8, 36 0.8, 13 0.75, 25 0.75, 14 0.7, 23 0.65. Face 4 has 14 alone, so 14 stays. Pair 56 is of two
visitors: the pair comes where one of them is at home.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from facesieve.faces.vectors import (
    COLUMNS,
    ROWS,
    Cosines,
    Hits,
    Indices,
    Shorts,
    exact_cosine,
    exact_product,
    near_pairs,
    near_pairs_by_block,
    short_unit,
    slices,
    wide_unit,
)
from facesieve.link.kernels.cells import MOST_RESIDENTS, Flags, Members, emitted_here
from facesieve.link.kernels.voronoi import Probes, is_candidate

PAIRS_AT_A_TIME = 1 << 20
"""Pairs of a sub-cell in memory at a time, about."""

_ROWS_OF_A_CROWD = 64
_SAMPLE_OF_A_CROWD = 32
_NOT_ITSELF = -2.0


@dataclass(frozen=True)
class EdgeRule:
    """What is an edge: cosine at least this. most: strongest neighbours per face (0 = all). whole: ids int64 [w],
    ascending, of faces whose edges are never thinned, so that recall can be measured on them.
    """

    cosine: float
    most: int
    whole: Indices


@dataclass(frozen=True)
class BlockPair:
    """Two groups of a cell that are compared: row numbers, none in both. With `own` a group is compared with itself."""

    left: Indices
    right: Indices
    own: bool = False


class BlockComparison:
    """Members of a task, ready to be compared: the vectors in float32, who is never thinned, earlier probe lists."""

    def __init__(self, members: Members, rule: EdgeRule, earlier: Probes | None = None) -> None:
        self.members = members
        self.rule = rule
        self.short = short_unit(members.vectors)
        self.exempt = np.isin(members.ids, rule.whole)
        self._earlier = earlier

    def cell(self, residents: Indices, visitors: Indices) -> Iterator[Hits]:
        """Find the edges of a sub-cell, each pair once: rows i, j of the members and exact cosines float32."""
        # A second pass leaves out pairs of residents: the first pass has compared them.
        own = [BlockPair(residents, residents, own=True)] if self._earlier is None else []
        yield from self.edges([*own, BlockPair(residents, visitors)])

    def edges(self, pairs: list[BlockPair]) -> Iterator[Hits]:
        """Find the edges of block pairs in a cell, each pair once; the left faces are residents there."""
        near: list[tuple[Indices, Indices]] = []
        total = 0
        for pair in pairs:
            if self._is_crowd(pair):
                yield from self._strongest(pair)
                continue
            for i, j in self._among(pair.left) if pair.own else self._between(pair.left, pair.right):
                near.append((i, j))
                total += len(i)
                if total > PAIRS_AT_A_TIME:
                    yield self._thinned(*self._exact(near))
                    near, total = [], 0
        if total:
            yield self._thinned(*self._exact(near))

    def _is_crowd(self, pair: BlockPair) -> bool:
        """Say whether faces have, on average, more neighbours than are kept, in a group large enough to matter."""
        if not self.rule.most or len(pair.left) * len(pair.right) <= PAIRS_AT_A_TIME:
            return False
        few = pair.left[:: -(-len(pair.left) // _SAMPLE_OF_A_CROWD)]
        return sum(len(i) for i, _ in self._between(few, pair.right)) > (self.rule.most + 1) * len(few)

    def _among(self, group: Indices) -> Iterator[tuple[Indices, Indices]]:
        """Near pairs of a group, block after block from the diagonal on."""
        short = self.short.take(group, axis=0)
        for rows in slices(len(group), ROWS):
            for columns in slices(len(group) - rows.start, COLUMNS):
                start, stop = rows.start + columns.start, rows.start + columns.stop
                i, j = near_pairs(short[rows], short[start:stop], self.rule.cosine)
                once = i + rows.start < j + start
                yield group[i[once] + rows.start], group[j[once] + start]

    def _between(self, left: Indices, right: Indices) -> Iterator[tuple[Indices, Indices]]:
        """Near pairs of residents with others, but for those that are left to another cell."""
        short = self.short.take(left, axis=0)

        def others(part: slice) -> Shorts:
            return self.short.take(right[part], axis=0)

        for rows, columns in near_pairs_by_block(short, len(right), others, self.rule.cosine):
            i, j = left[rows], right[columns]
            here = self._here(i, j)
            yield i[here], j[here]

    def _here(self, i: Indices, j: Indices) -> Flags:
        here = emitted_here(self.members.probes, i, j)
        return here if self._earlier is None else here & ~is_candidate(self._earlier[i], self._earlier[j])

    def _exact(self, near: list[tuple[Indices, Indices]]) -> Hits:
        i, j = np.concatenate([i for i, _ in near]), np.concatenate([j for _, j in near])
        exact = exact_cosine(self.members.vectors, i, self.members.vectors, j)
        reached = exact.astype(np.float64) >= self.rule.cosine
        return i[reached], j[reached], exact[reached]

    def _thinned(self, i: Indices, j: Indices, cosine: Cosines) -> Hits:
        """Leave out pairs that neither end has among its strongest."""
        if not self.rule.most or len(i) <= self.rule.most:
            return i, j, cosine
        face, other = np.concatenate([i, j]), np.concatenate([j, i])
        numbers = np.bincount(face)
        if numbers.max() <= self.rule.most + 1:
            return i, j, cosine
        crowded = (numbers > self.rule.most + 1)[face] & ~self.exempt[face]
        rows = np.flatnonzero(crowded)
        keeps = ~crowded
        keeps[rows] = self._ranked(face[rows], other[rows], np.concatenate([cosine, cosine])[rows])
        either = keeps[: len(i)] | keeps[len(i) :]
        return i[either], j[either], cosine[either]

    def _ranked(self, face: Indices, other: Indices, cosine: Cosines) -> Flags:
        """Flag the `most` + 1 strongest pairs of each face; equal cosines go to the smaller id of the other."""
        order = np.lexsort((self.members.ids[other], -cosine, face))
        ordered = face[order]
        first = np.searchsorted(ordered, ordered)
        strongest = np.empty(len(face), np.bool_)
        strongest[order] = np.arange(len(face)) - first <= self.rule.most
        return strongest

    def _strongest(self, pair: BlockPair) -> Iterator[Hits]:
        """Find the strongest pairs of a crowd in memory that grows with its faces, not with its pairs."""
        left = self._by_id(pair.left)
        if pair.own:
            cuts = _Cuts(len(left))
            yield from self._kept_by(left, left, cuts, cuts)
            return
        for part in slices(len(pair.right), MOST_RESIDENTS):
            right = self._by_id(pair.right[part])
            mine, theirs = _Cuts(len(left)), _Cuts(len(right))
            back = ((j, i, cosine) for i, j, cosine in self._kept_by(right, left, theirs, mine))
            for i, j, cosine in itertools.chain(self._kept_by(left, right, mine, theirs), back):
                here = self._here(i, j)
                yield i[here], j[here], cosine[here]

    def _by_id(self, rows: Indices) -> Indices:
        return rows[np.argsort(self.members.ids[rows])]

    def _kept_by(self, faces: Indices, others: Indices, mine: _Cuts, theirs: _Cuts) -> Iterator[Hits]:
        """Pairs that each of `faces` has among its strongest with `others`, but those that these have kept before."""
        own = mine is theirs
        vectors = self.members.vectors[others]
        wide = wide_unit(vectors)
        for rows in slices(len(faces), _ROWS_OF_A_CROWD):
            cosine = exact_product(self.members.vectors[faces[rows]], vectors, wide)
            if own:
                np.fill_diagonal(cosine[:, rows], _NOT_ITSELF)
            mine.learn(rows, cosine, self.rule, self.exempt[faces[rows]])
            i, j = mine.pairs(rows, cosine)
            strength = cosine[i, j]
            i += rows.start
            new = ~theirs.keep(j, strength, i)
            if own:
                new |= i < j
            yield faces[i[new]], others[j[new]], strength[new]


class _Cuts:
    """What faces keep of a group that they are compared with: all above a cosine, and of those that equal it the ones
    up to a place (by ascending id). At first nothing.
    """

    def __init__(self, faces: int) -> None:
        self._cosine = np.full(faces, np.inf, np.float32)
        self._place = np.full(faces, -1, np.int64)

    def learn(self, rows: slice, cosine: Cosines, rule: EdgeRule, exempt: Flags) -> None:
        """Cut after the `most` + 1 strongest of the edges in a block float32 [n, k], but for those exempt."""
        below = _below(rule.cosine)
        self._cosine[rows] = below
        crowded = np.flatnonzero((np.count_nonzero(cosine > below, axis=1) > rule.most + 1) & ~exempt)
        if not len(crowded):
            return
        cosine = cosine[crowded]
        last = cosine.shape[1] - rule.most - 1
        cut = np.partition(cosine, last, axis=1)[:, last]
        room = rule.most + 1 - np.count_nonzero(cosine > cut[:, None], axis=1)
        row, place = np.nonzero(cosine == cut[:, None])
        self._cosine[rows][crowded] = cut
        self._place[rows][crowded] = place[np.searchsorted(row, np.arange(len(crowded))) + room - 1]

    def pairs(self, rows: slice, cosine: Cosines) -> tuple[Indices, Indices]:
        """List what the faces in `rows` keep of a block float32 [n, k]."""
        cut, place = self._cosine[rows, None], self._place[rows, None]
        face, other = np.nonzero((cosine > cut) | ((cosine == cut) & (np.arange(cosine.shape[1]) <= place)))
        return face, other

    def keep(self, faces: Indices, cosine: Cosines, places: Indices) -> Flags:
        """Say of pairs whether the face keeps them."""
        cut = self._cosine[faces]
        return np.asarray((cosine > cut) | ((cosine == cut) & (places <= self._place[faces])))


def _below(cosine: float) -> np.float32:
    """Greatest float32 that is less than `cosine`."""
    nearest = np.float32(cosine)
    return nearest if float(nearest) < cosine else np.nextafter(nearest, np.float32(-np.inf))

"""The pairs of one sub-cell that are edges: block products, and, where faces have many neighbours, only the strongest.

Thinning keeps a pair if either end has it among its `most` + 1 strongest of those looked at together. Whatever is among
a face's `most` strongest of all is also among them in any part, so nothing is lost, and a face that has more than
`most` neighbours still shows it. The exact cap over all parts is for later.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from facesieve.kernels.cells import MOST_RESIDENTS, Flags, Members, met_here
from facesieve.kernels.vectors import MARGIN, Cosines, Hits, Indices, exact_cosine, near_pairs, short_unit, slices
from facesieve.kernels.voronoi import Probes, meet

ROWS, COLUMNS = 256, 2_048
"""Shape of a block product: 2 MB, so that it stays in the cache while it is compared with the threshold."""

HELD = 1 << 20
"""Pairs of one sub-cell held at a time; with a cap, a sub-cell with more is searched for the strongest instead."""

_NOT_ITSELF = -2.0


@dataclass(frozen=True)
class Asked:
    """What is an edge: cosine at least this. most: strongest neighbours per face (0 = all). whole: ids int64 [w],
    ascending, of faces whose edges are never thinned, so that recall can be measured on them.
    """

    cosine: float
    most: int
    whole: Indices


@dataclass(frozen=True)
class Encounter:
    """Two groups of one cell that are compared: row numbers. With `own` it is one group, compared with itself."""

    left: Indices
    right: Indices
    own: bool = False


class Meeting:
    """Members of one task, ready to be compared: the vectors in float32, who is never thinned, earlier probe lists."""

    def __init__(self, members: Members, asked: Asked, earlier: Probes | None = None) -> None:
        self.members = members
        self.asked = asked
        self.short = short_unit(members.vectors)
        self.exempt = np.isin(members.ids, asked.whole)
        self._earlier = earlier

    def cell(self, residents: Indices, visitors: Indices) -> Iterator[Hits]:
        """Find the edges of one sub-cell, each pair once: rows i, j of the members and exact cosines float32.

        residents, visitors: row numbers by ascending id.
        """
        # In a second pass the residents of one cell have met.
        own = [Encounter(residents, residents, own=True)] if self._earlier is None else []
        yield from self.edges([*own, Encounter(residents, visitors)])

    def edges(self, encounters: list[Encounter]) -> Iterator[Hits]:
        """Find the edges of encounters in one cell, each pair once; the left ones are residents there."""
        held: list[tuple[Indices, Indices]] = []
        total = 0
        for i, j in itertools.chain.from_iterable(map(self._near, encounters)):
            held.append((i, j))
            total += len(i)
            if total > HELD:
                if self.asked.most:
                    yield from itertools.chain.from_iterable(map(self._strongest, encounters))
                    return
                yield self._exact(held)
                held, total = [], 0
        if total:
            yield self._thinned(*self._exact(held))

    def _near(self, met: Encounter) -> Iterator[tuple[Indices, Indices]]:
        for rows, columns in _blocks(met):
            i, j = self._product(met.left[rows], met.right[columns])
            if met.own:
                once = i + rows.start < j + columns.start
                yield met.left[rows][i[once]], met.right[columns][j[once]]
            else:
                i, j = met.left[rows][i], met.right[columns][j]
                here = self._here(i, j)
                yield i[here], j[here]

    def _product(self, rows: Indices, columns: Indices) -> tuple[Indices, Indices]:
        return near_pairs(self.short[rows], self.short[columns], self.asked.cosine)

    def _here(self, i: Indices, j: Indices) -> Flags:
        here = met_here(self.members.probes, i, j)
        return here if self._earlier is None else here & ~meet(self._earlier[i], self._earlier[j])

    def _exact(self, held: list[tuple[Indices, Indices]]) -> Hits:
        i, j = (np.concatenate(part) for part in zip(*held, strict=True))
        exact = exact_cosine(self.members.vectors, i, self.members.vectors, j)
        kept = exact.astype(np.float64) >= self.asked.cosine
        return i[kept], j[kept], exact[kept]

    def _thinned(self, i: Indices, j: Indices, cosine: Cosines) -> Hits:
        """Leave out pairs that neither end has among its strongest."""
        face, other = np.concatenate([i, j]), np.concatenate([j, i])
        crowded = (np.bincount(face) > self.asked.most + 1)[face] & ~self.exempt[face]
        if not self.asked.most or not crowded.any():
            return i, j, cosine
        keeps = ~crowded
        rows = np.flatnonzero(crowded)
        keeps[rows] = self._ranked(face[rows], other[rows], np.concatenate([cosine, cosine])[rows])
        kept = keeps[: len(i)] | keeps[len(i) :]
        return i[kept], j[kept], cosine[kept]

    def _ranked(self, face: Indices, other: Indices, cosine: Cosines) -> Flags:
        """Flag the `most` + 1 strongest pairs of each face; equal cosines go to the smaller id of the other."""
        order = np.lexsort((self.members.ids[other], -cosine, face))
        ordered = face[order]
        first = np.searchsorted(ordered, ordered)
        strongest = np.empty(len(face), np.bool_)
        strongest[order] = np.arange(len(face)) - first <= self.asked.most
        return strongest | self.exempt[face]

    def _strongest(self, met: Encounter) -> Iterator[Hits]:
        """Find the strongest pairs of a crowd in memory that grows with its faces, not with its pairs."""
        if met.own:
            i, j, cosine = self._kept_by(met.left, met.left)
            yield self._once(np.minimum(i, j), np.maximum(i, j), cosine)
            return
        for part in slices(len(met.right), MOST_RESIDENTS):
            there, back = self._kept_by(met.left, met.right[part]), self._kept_by(met.right[part], met.left)
            i, j, cosine = (np.concatenate(ends) for ends in zip(there, (back[1], back[0], back[2]), strict=True))
            here = self._here(i, j)
            yield self._once(i[here], j[here], cosine[here])

    def _once(self, i: Indices, j: Indices, cosine: Cosines) -> Hits:
        first = np.unique(i * len(self.exempt) + j, return_index=True)[1]
        return i[first], j[first], cosine[first]

    def _kept_by(self, faces: Indices, others: Indices) -> Hits:
        """Pairs that each of `faces` has among its strongest with `others`."""
        found = [self._kept_by_block(faces[rows], others) for rows in slices(len(faces), ROWS)]
        i, j, cosine = (np.concatenate(part) for part in zip(*found, strict=True))
        return i, j, cosine

    def _kept_by_block(self, faces: Indices, others: Indices) -> Hits:
        product = self.short[faces] @ self.short[others].T
        product[faces[:, None] == others] = _NOT_ITSELF
        floor = np.full(len(faces), self.asked.cosine - MARGIN)
        if len(others) > self.asked.most + 1:
            last = len(others) - self.asked.most - 1
            strong = np.partition(product, last, axis=1)[:, last]
            floor = np.maximum(floor, np.where(self.exempt[faces], _NOT_ITSELF, strong - MARGIN))
        rows, columns = np.nonzero(product >= floor[:, None].astype(np.float32))
        i, j, cosine = self._exact([(faces[rows], others[columns])])
        strongest = self._ranked(i, j, cosine)
        return i[strongest], j[strongest], cosine[strongest]


def _blocks(met: Encounter) -> Iterator[tuple[slice, slice]]:
    for rows in slices(len(met.left), ROWS):
        for columns in slices(len(met.right), COLUMNS):
            if not met.own or columns.stop > rows.start:
                yield rows, columns

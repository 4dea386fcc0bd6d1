"""Cell assignment: which faces are compared in a cell, so that each candidate pair comes once.

A cell's residents are compared with each other and with the cell's visitors, never two visitors. A pair whose faces
probe each other's homes could come in both cells: the pair is left to the lower cell. A cell with many residents is cut
into an odd number of sub-cells. A resident is at home in one sub-cell, chosen by id hash. The resident visits the half
of the other sub-cells that come before its own, going round. So of any two sub-cells one is visited by the other.

Six faces, three cells, the home first in each probe list, nothing cut:

    face probes        cell residents visitors compared           emitted
       1 0 1              0      1, 2     3, 4 12 13 14 23 24     all
       2 0                1      3, 4     1, 5 34 13 14 35 45     34 35 45 (13 and 14 are left to cell 0, home of 1)
       3 1 0              2      5, 6        4 56 45 46           56 46 (45 is left to cell 1, home of 4)
       4 1 0 2
       5 2 1
       6 2
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from facesieve.faces.hashing import id_hash
from facesieve.faces.vectors import Halves, Indices
from facesieve.link.kernels.voronoi import PRUNED

Flags = npt.NDArray[np.bool_]

MOST_RESIDENTS = 32_768
"""Faces at home in one sub-cell, about: what bounds the work and the memory of one task."""

_CUT, _SPREAD = 2, 3


@dataclass(frozen=True)
class Members:
    """Faces as they travel: ids int64 [n], codes int64 [n] (hash of the identity, 0 where there is none), probes [n, r]
    (int32 cells for the heap, the int64 identity code inside identities; the home first), vectors float16 [n, D].
    """

    ids: Indices
    codes: Indices
    probes: npt.NDArray[np.int32] | Indices
    vectors: Halves

    def take(self, rows: Indices) -> Members:
        """Return the members of these rows."""
        return Members(self.ids[rows], self.codes[rows], self.probes[rows], self.vectors[rows])


@dataclass(frozen=True)
class Cut:
    """Cells that are cut into sub-cells: cells int64 [c] ascending, pieces int64 [c] (odd); others are one piece."""

    cells: Indices
    pieces: Indices

    def of(self, cells: Indices) -> Indices:
        """Return the number of sub-cells of each cell."""
        if not len(self.cells):
            return np.ones(len(cells), np.int64)
        place = np.minimum(np.searchsorted(self.cells, cells), len(self.cells) - 1)
        return np.where(self.cells[place] == cells, self.pieces[place], 1)


@dataclass(frozen=True)
class Layout:
    """Where sub-cells are compared: `parts` partitions; base int64 [cells] names the partition of a cell's first piece
    (None for cells named by a hash, which are spread by it); its next pieces go to the partitions that follow.
    """

    parts: int
    cut: Cut
    base: Indices | None = None

    def part(self, cell: Indices, piece: Indices) -> Indices:
        """Return the partition of each sub-cell."""
        if self.base is not None:
            return (self.base[cell] + piece) % self.parts
        spread = (id_hash(cell, _SPREAD) % np.uint64(self.parts)).astype(np.int64)
        return (spread + piece) % self.parts


@dataclass(frozen=True)
class CellAssignment:
    """Which face is compared in which sub-cell: row number, cell, piece int64 [k], and whether it visits, bool [k]."""

    face: Indices
    cell: Indices
    piece: Indices
    visiting: Flags

    def take(self, rows: Flags) -> CellAssignment:
        """Return the rows that are flagged."""
        taken = np.flatnonzero(rows)
        return CellAssignment(self.face[taken], self.cell[taken], self.piece[taken], self.visiting[taken])


def cut_cells(cells: Indices, residents: npt.NDArray[np.float64] | Indices) -> Cut:
    """Cut cells with more than MOST_RESIDENTS residents into an odd number of pieces that hold about that at most.

    >>> cut = cut_cells(np.array([3, 5, 9]), np.array([10, 40_000, 100_000]))
    >>> cut.cells.tolist(), cut.pieces.tolist()
    ([5, 9], [3, 5])
    """
    pieces = np.ceil(np.maximum(residents, 1) / MOST_RESIDENTS).astype(np.int64) | 1
    large = pieces > 1
    return Cut(cells[large], pieces[large])


def assign_cells(ids: Indices, probes: npt.NDArray[np.int32] | Indices, cut: Cut) -> CellAssignment:
    """List the sub-cells of each face: a resident's own and, visiting, half of the others of its cell.

    Shapes: ids int64 [n], probes [n, r] -> k rows, k at least n.

    >>> assigned = assign_cells(np.array([7]), np.array([[1, 0]], np.int32), Cut(np.arange(0), np.arange(0)))
    >>> assigned.cell.tolist(), assigned.visiting.tolist()
    ([1, 0], [False, True])
    """
    flat = np.flatnonzero(probes != PRUNED)
    face, column = np.divmod(flat, probes.shape[1])
    cell, home = probes.reshape(-1)[flat].astype(np.int64), column == 0
    if not len(cut.cells):
        return CellAssignment(face, cell, np.zeros(len(face), np.int64), ~home)
    many = cut.of(cell)
    copies = np.where(home, (many + 1) // 2, many)  # a visitor is compared in every sub-cell
    row = np.repeat(np.arange(len(face)), copies)
    step = np.arange(len(row)) - np.repeat(np.cumsum(copies) - copies, copies)
    own = (id_hash(ids, _CUT)[face[row]] % many[row].astype(np.uint64)).astype(np.int64)
    return CellAssignment(face[row], cell[row], (own - step) % many[row], ~home[row] | (step > 0))


def sub_cells(assigned: CellAssignment, ids: Indices) -> Iterator[tuple[Indices, Indices]]:
    """Go through the sub-cells that have residents: row numbers of their residents and of their visitors.

    Both by ascending id. Shapes: ids int64 [n] -> pairs of int64 arrays.
    """
    rank = np.empty(len(ids), np.int64)
    rank[np.argsort(ids)] = np.arange(len(ids))
    group = np.unique(assigned.cell, return_inverse=True)[1] * (assigned.piece.max(initial=0) + 1) + assigned.piece
    order = np.argsort((2 * group + assigned.visiting) * len(ids) + rank[assigned.face])  # far faster than a lexsort
    group, visiting, face = group[order], assigned.visiting[order], assigned.face[order]
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    for start, end in zip(starts, np.append(starts, len(face))[1:], strict=True):
        residents = start + int(np.searchsorted(visiting[start:end], True))
        if residents > start:
            yield face[start:residents], face[residents:end]


def emitted_here(probes: npt.NDArray[Any], i: Indices, j: Indices) -> Flags:
    """Say which pairs (resident i, visitor j) of a cell are emitted in it; probes [n, r] of all members.

    All but those that are also compared at the visitor's home, where that comes lower. Two residents of a cell are
    compared in a single one of its sub-cells.

    >>> lists = np.array([[1, 0], [0, 1], [0, 2]])
    >>> [emitted_here(lists, np.array([i]), np.array([j])).tolist() for i, j in ((0, 1), (1, 0))]
    [[False], [True]]
    """
    away = probes[j, 0]
    here = probes[i, 0] <= away
    later = np.flatnonzero(~here)
    here[later] = ~(probes.take(i[later], axis=0) == away[later, None]).any(axis=1)
    return np.asarray(here)


def candidate_count(probes: npt.NDArray[Any], residents: Indices, visitors: Indices) -> int:
    """Count the distinct pairs that are compared in a sub-cell and emitted there.

    >>> candidate_count(np.array([[1, 0], [1, 2], [0, 1]]), np.array([0, 1]), np.array([2]))
    2
    """
    here, away = len(residents), probes[visitors, 0]
    elsewhere = away[away < probes[residents[0], 0]]
    probed, numbers = np.unique(probes[residents, 1:], return_counts=True)
    where = np.searchsorted(probed, elsewhere)
    twice = np.append(probed, PRUNED)[where] == elsewhere
    return here * (here - 1) // 2 + here * len(visitors) - int(np.append(numbers, 0)[where][twice].sum())

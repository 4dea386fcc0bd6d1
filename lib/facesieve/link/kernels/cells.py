"""Who meets whom in a cell: residents with each other and with visitors, each candidate pair once.

In a cell, faces at home are compared with each other and with the faces that probe it, never two visitors. A pair whose
faces probe each other's homes would meet in both cells; it is left to the lower one. A cell with many residents is cut
into an odd number of sub-cells: a resident is at home in one, chosen by id hash, and visits the half of the others that
come before it, going round, so that of any two sub-cells one is visited by the other.
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
class Stays:
    """Which face is in which sub-cell: row number, cell, piece int64 [k], and whether it visits, bool [k]."""

    face: Indices
    cell: Indices
    piece: Indices
    visiting: Flags

    def take(self, rows: Flags) -> Stays:
        """Return the stays that are flagged."""
        taken = np.flatnonzero(rows)
        return Stays(self.face[taken], self.cell[taken], self.piece[taken], self.visiting[taken])


def cut_cells(cells: Indices, residents: npt.NDArray[np.float64] | Indices) -> Cut:
    """Cut cells with more than MOST_RESIDENTS residents into an odd number of pieces that hold about that at most.

    >>> cut = cut_cells(np.array([3, 5, 9]), np.array([10, 40_000, 100_000]))
    >>> cut.cells.tolist(), cut.pieces.tolist()
    ([5, 9], [3, 5])
    """
    pieces = np.ceil(np.maximum(residents, 1) / MOST_RESIDENTS).astype(np.int64) | 1
    large = pieces > 1
    return Cut(cells[large], pieces[large])


def stays(ids: Indices, probes: npt.NDArray[np.int32] | Indices, cut: Cut) -> Stays:
    """List in which sub-cells faces stay: a resident in its own and, visiting, in half of the others of its cell.

    Shapes: ids int64 [n], probes [n, r] -> k stays, k at least n.

    >>> stay = stays(np.array([7]), np.array([[1, 0]], np.int32), Cut(np.arange(0), np.arange(0)))
    >>> stay.cell.tolist(), stay.visiting.tolist()
    ([1, 0], [False, True])
    """
    flat = np.flatnonzero(probes != PRUNED)
    face, column = np.divmod(flat, probes.shape[1])
    cell, home = probes.reshape(-1)[flat].astype(np.int64), column == 0
    if not len(cut.cells):
        return Stays(face, cell, np.zeros(len(face), np.int64), ~home)
    many = cut.of(cell)
    copies = np.where(home, (many + 1) // 2, many)  # a visitor meets the residents of every sub-cell
    row = np.repeat(np.arange(len(face)), copies)
    step = np.arange(len(row)) - np.repeat(np.cumsum(copies) - copies, copies)
    own = (id_hash(ids, _CUT)[face[row]] % many[row].astype(np.uint64)).astype(np.int64)
    return Stays(face[row], cell[row], (own - step) % many[row], ~home[row] | (step > 0))


def groups(stay: Stays, ids: Indices) -> Iterator[tuple[Indices, Indices]]:
    """Go through the sub-cells that have residents: row numbers of their residents and of their visitors.

    Both by ascending id. Shapes: ids int64 [n] -> pairs of int64 arrays.
    """
    rank = np.empty(len(ids), np.int64)
    rank[np.argsort(ids)] = np.arange(len(ids))
    group = np.unique(stay.cell, return_inverse=True)[1] * (stay.piece.max(initial=0) + 1) + stay.piece
    order = np.argsort((2 * group + stay.visiting) * len(ids) + rank[stay.face])  # one key: far faster than a lexsort
    group, visiting, face = group[order], stay.visiting[order], stay.face[order]
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    for start, end in zip(starts, np.append(starts, len(face))[1:], strict=True):
        residents = start + int(np.searchsorted(visiting[start:end], True))
        if residents > start:
            yield face[start:residents], face[residents:end]


def met_here(probes: npt.NDArray[Any], i: Indices, j: Indices) -> Flags:
    """Say which pairs (resident i, visitor j) of a cell are emitted in it; probes [n, r] of all members.

    All but those that also meet at the visitor's home, where that comes lower. Two residents of one cell meet in one of
    its sub-cells only.

    >>> lists = np.array([[1, 0], [0, 1], [0, 2]])
    >>> met_here(lists, np.array([0]), np.array([1])).tolist(), met_here(lists, np.array([1]), np.array([0])).tolist()
    ([False], [True])
    """
    away = probes[j, 0]
    met = probes[i, 0] <= away
    later = np.flatnonzero(~met)
    met[later] = ~(probes.take(i[later], axis=0) == away[later, None]).any(axis=1)
    return np.asarray(met)


def candidate_count(probes: npt.NDArray[Any], residents: Indices, visitors: Indices) -> int:
    """Count the distinct pairs that are compared in a sub-cell and emitted there.

    >>> candidate_count(np.array([[1, 0], [1, 2], [0, 1]]), np.array([0, 1]), np.array([2]))
    2
    """
    here, away = len(residents), probes[visitors, 0]
    elsewhere = away[away < probes[residents[0], 0]]
    probed, numbers = np.unique(probes[residents, 1:], return_counts=True)
    where = np.searchsorted(probed, elsewhere)
    found = np.append(probed, PRUNED)[where] == elsewhere
    return here * (here - 1) // 2 + here * len(visitors) - int(np.append(numbers, 0)[where][found].sum())

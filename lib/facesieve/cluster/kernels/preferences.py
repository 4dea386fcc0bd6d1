"""What faces prefer: the votes of their neighbours are summed by label, in a table or by sorting.

Example: face 2 hears the labels 0 and 3. Label 0 has 5 votes, label 3 has 4 + 2 votes, so that it prefers label 3.

    sender receiver votes   label of the sender       table of face 2    label   0   3
      0       2       5          0                                       votes   5   6
      1       2       4          3               ->
      3       2       2          3
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from facesieve.cluster.kernels.neighbourhoods import ranges

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_CELLS_AN_EDGE = 32
"""A table is worth while up to so many cells for each edge that is counted in it."""
_WORK = 1 << 21
"""Cells of a table, and twice its edges: together some 50 MB."""
_SHORT = 1 << 16
"""Positions of faces below that fit 16 bits."""
EXACT = 1 << 53
"""A table sums in float64: votes that sum up to less are exact."""


class VotingGraph(NamedTuple):
    """Each edge in both directions, by receiver. Faces are positions from 0.

    sender, votes: int64 [2 E]. The edges into face v are those from starts[v] to starts[v + 1] (int64 [V + 1]).
    """

    sender: Ints
    votes: Ints
    starts: Ints

    def degrees(self, faces: Ints) -> Ints:
        """Return how many edges lead into each face."""
        return np.asarray(self.starts[faces + 1] - self.starts[faces])

    def into(self, faces: Ints) -> Ints | slice:
        """Return the numbers of the edges into faces, ascending, those of one face behind those of the one before."""
        if len(faces) and faces[-1] - faces[0] + 1 == len(faces):
            return slice(int(self.starts[faces[0]]), int(self.starts[faces[-1] + 1]))
        return ranges(self.starts[faces], self.degrees(faces))

    def neighbours(self, faces: Ints) -> Ints:
        """Return who has an edge with one of the faces, ascending, each once."""
        touched = np.zeros(len(self.starts) - 1, np.bool_)
        # Every edge stands in both directions: who sends to a face hears it.
        touched[self.sender[self.into(faces)]] = True
        return np.flatnonzero(touched)


def voting_graph(faces: int, src: Ints, dst: Ints, votes: Ints) -> VotingGraph:
    """Lay out edges between `faces` faces (positions); src, dst, votes: int64 [E], each pair once.

    >>> graph = voting_graph(3, np.array([0, 0]), np.array([1, 2]), np.array([5, 4]))
    >>> graph.sender.tolist(), graph.votes.tolist(), graph.starts.tolist()
    ([1, 2, 0, 0], [5, 4, 5, 4], [0, 2, 3, 4])
    """
    receiver = np.append(dst, src)
    # Short integers are ordered several times as fast.
    order = np.argsort(receiver.astype(np.uint16) if faces <= _SHORT else receiver, kind="stable")
    sender, both = np.append(src, dst)[order], np.append(votes, votes)[order]
    # Sums do not depend on the order of senders.
    starts = np.append(0, np.cumsum(np.bincount(receiver, minlength=faces)))
    return VotingGraph(sender, both, starts)


def preferences(labels: Ints, former: Ints, graph: VotingGraph, hearing: Ints) -> Ints:
    """Say which label each face prefers; faces not in `hearing`, or without an edge, keep their former preference.

    labels, former: int64 [V], labels as positions. hearing: positions, ascending. A face prefers its own label if that
    is among those with most votes, else the smallest of these.

    >>> graph = voting_graph(3, np.array([0, 0]), np.array([1, 2]), np.array([5, 4]))
    >>> own = np.arange(3)
    >>> preferences(own, own, graph, own).tolist()
    [1, 0, 0]
    """
    sizes = graph.degrees(hearing)
    hearing, sizes = hearing[sizes > 0], sizes[sizes > 0]
    preferred = former.copy()
    if len(hearing):
        used = np.zeros(len(labels), np.bool_)
        used[labels] = True
        names, numbers = np.flatnonzero(used), (np.cumsum(used) - 1)[labels]
        exact = int(graph.votes.max(initial=0)) * len(graph.votes) < EXACT
        few = len(hearing) * len(names) <= _CELLS_AN_EDGE * int(sizes.sum())
        prefer = _by_table if few and exact else _by_sorting
        for part in np.split(hearing, _cuts(2 * sizes + (len(names) if few else 0))):
            preferred[part] = names[prefer(part, numbers, len(names), graph)]
    return preferred


def _cuts(work: Ints) -> Ints:
    """Say where to cut faces into portions of bounded work."""
    return np.flatnonzero(np.diff(np.cumsum(work) // _WORK)) + 1


def _by_table(faces: Ints, numbers: Ints, labels: int, graph: VotingGraph) -> Ints:
    edges, rows = graph.into(faces), np.arange(len(faces))
    cells = np.repeat(rows * labels, graph.degrees(faces)) + numbers[graph.sender[edges]]
    sums = np.bincount(cells, graph.votes[edges], len(faces) * labels).reshape(len(faces), labels)
    first, own = sums.argmax(axis=1), numbers[faces]
    return np.where(sums[rows, own] == sums[rows, first], own, first)


def _by_sorting(faces: Ints, numbers: Ints, labels: int, graph: VotingGraph) -> Ints:
    edges, rows = graph.into(faces), np.arange(len(faces))
    key = np.repeat(rows * labels, graph.degrees(faces)) + numbers[graph.sender[edges]]
    # Keys stand in the order of their faces: a stable sort has only to order within a face, ten times as fast.
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    starts = _starts(ordered)
    sums = np.add.reduceat(graph.votes[edges][order], starts)
    face, label = np.divmod(ordered[starts], labels)
    first = _starts(face)
    most = np.repeat(np.maximum.reduceat(sums, first), np.diff(np.append(first, len(face))))
    best, own = sums == most, numbers[faces]
    is_own = np.logical_or.reduceat(best & (label == own[face]), first)
    smallest = np.minimum.reduceat(np.where(best, label, labels), first)
    return np.where(is_own, own, smallest)


def _starts(ordered: Ints) -> Ints:
    """Return where each run of equal values begins."""
    return np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))

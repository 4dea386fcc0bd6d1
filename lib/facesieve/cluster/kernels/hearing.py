"""What faces prefer from superstep to superstep: once labels are few, the sums of votes stand, and movers change them.

Example: face 3 moves from label 2 to label 0. Its edges alone are looked at, and only faces 1 and 2 may change their
preference.

    edges of 3   sums before    label 0  1  2      sums after   label 0  1  2
     3-1: 4      face 1               0  5  4      face 1             4  5  0
     3-2: 7      face 2               3  0  7  ->  face 2            10  0  0
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from facesieve.cluster.kernels.preferences import EXACT, VotingGraph, preferences
from facesieve.faces.vectors import slices

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_CELLS = 1 << 24
"""Cells of the sums that stand: 128 MB."""
_AT_ONCE = 1 << 20
"""Edges of movers that are looked at in one go."""


class _Sums(NamedTuple):
    """Votes by face and label: float64 [V, L], exact integers; the labels, ascending, and the column of each label."""

    votes: npt.NDArray[np.float64]
    names: Ints
    columns: Ints


class Hearing:
    """The preferences of all faces in one coin, which follow the labels as these change."""

    def __init__(self, graph: VotingGraph, preferred: Ints) -> None:
        """Begin with what the faces prefer, as positions, int64 [V]."""
        self._graph, self.preferred = graph, preferred
        self._sums: _Sums | None = None

    def after(self, before: Ints, labels: Ints, moving: Flags) -> None:
        """Follow a move: labels before and after it, as positions, int64 [V], and who moved.

        >>> from facesieve.cluster.kernels.preferences import voting_graph
        >>> graph = voting_graph(3, np.array([0, 0]), np.array([1, 2]), np.array([5, 4]))
        >>> hearing = Hearing(graph, np.array([1, 0, 0]))
        >>> hearing.after(np.array([0, 1, 2]), np.array([0, 1, 0]), np.array([False, False, True]))
        >>> hearing.preferred.tolist()
        [1, 0, 0]
        """
        movers = np.flatnonzero(moving)
        hearing = self._listeners(movers)
        if self._sums is None and self._pays(hearing, labels):
            self._sums = _summed(self._graph, labels)
        elif self._sums is not None:
            self._follow(self._sums, movers, before, labels)
        if self._sums is None:
            self.preferred = preferences(labels, self.preferred, self._graph, hearing)
        else:
            self.preferred = self.preferred.copy()
            self.preferred[hearing] = _best(self._sums, labels, hearing)

    def _listeners(self, movers: Ints) -> Ints:
        """Return those who hear movers, or all who hear anybody, where that is as much work."""
        if 2 * int(self._graph.degrees(movers).sum()) > len(self._graph.sender):
            return np.flatnonzero(np.diff(self._graph.starts))
        return self._graph.neighbours(movers)

    def _pays(self, hearing: Ints, labels: Ints) -> bool:
        votes = len(self._graph.sender)
        if (
            2 * int(self._graph.degrees(hearing).sum()) <= votes
            or int(self._graph.votes.max(initial=0)) * votes >= EXACT
        ):
            return False
        return len(labels) * len(np.unique(labels)) <= min(_CELLS, 2 * votes)

    def _follow(self, sums: _Sums, movers: Ints, before: Ints, labels: Ints) -> None:
        cells, width = sums.votes.reshape(-1), len(sums.names)
        for part in slices(len(movers), max(1, _AT_ONCE * len(labels) // max(1, len(self._graph.sender)))):
            edges, degrees = self._graph.into(movers[part]), self._graph.degrees(movers[part])
            rows, votes = self._graph.sender[edges] * width, self._graph.votes[edges].astype(np.float64)
            np.add.at(cells, rows + np.repeat(sums.columns[labels[movers[part]]], degrees), votes)
            np.subtract.at(cells, rows + np.repeat(sums.columns[before[movers[part]]], degrees), votes)


def _summed(graph: VotingGraph, labels: Ints) -> _Sums:
    names, columns = np.unique(labels), np.zeros(len(labels), np.int64)
    columns[names] = np.arange(len(names))
    votes = np.empty((len(labels), len(names)))
    for part in slices(len(labels), max(1, _AT_ONCE * len(labels) // max(1, len(graph.sender)))):
        faces = np.arange(part.start, part.stop)
        edges = graph.into(faces)
        cells = np.repeat((faces - part.start) * len(names), graph.degrees(faces))
        cells += columns[labels][graph.sender[edges]]
        sums = np.bincount(cells, graph.votes[edges], len(faces) * len(names))
        votes[part] = sums.reshape(len(faces), len(names))
    return _Sums(votes, names, columns)


def _best(sums: _Sums, labels: Ints, faces: Ints) -> Ints:
    """Return each face's own label if it is among those with most votes, else the smallest of these."""
    best = np.empty(len(faces), np.int64)
    for part in slices(len(faces), max(1, _AT_ONCE // len(sums.names))):
        votes, own = sums.votes[faces[part]], sums.columns[labels[faces[part]]]
        first, rows = votes.argmax(axis=1), np.arange(len(own))
        best[part] = sums.names[np.where(votes[rows, own] == votes[rows, first], own, first)]
    return best

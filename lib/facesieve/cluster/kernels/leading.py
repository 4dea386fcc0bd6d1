"""Which labels a face hears most votes for, ties and all: what its neighbours have to tell it, and no more.

Example: face 2 hears the labels 0, 3 and 4. Labels 3 and 4 lead, and label 0 need not be told.

    sender receiver votes   label of the sender       leading labels of face 2    label votes
      0       2       5          0                                                  3     6
      1       2       6          3               ->                                 4     6
      4       2       6          4
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from facesieve.cluster.kernels.neighbourhoods import starts_of
from facesieve.cluster.kernels.preferences import EXACT, VotingGraph

Ints = npt.NDArray[np.int64]

_CELLS_AN_EDGE = 8
"""A table is worth while up to so many cells for each edge that is counted in it."""
_EDGES = 1 << 18
"""Edges that are looked at in one go, about: some 10 MB."""


class Leading(NamedTuple):
    """Faces, their leading labels (both as positions), and the votes of each: int64 [n] each."""

    faces: Ints
    labels: Ints
    votes: Ints


def leading(faces: Ints, labels: Ints, graph: VotingGraph) -> Leading:
    """Find the labels with most votes among the edges into each face, all of them where several have as many.

    faces: positions, ascending, each with an edge at least; labels: int64 [V], as positions. Sums are exact.

    >>> from facesieve.cluster.kernels.preferences import voting_graph
    >>> graph = voting_graph(3, np.array([0, 0]), np.array([1, 2]), np.array([5, 5]))
    >>> [each.tolist() for each in leading(np.array([0, 2]), np.arange(3), graph)]
    [[0, 0, 2], [1, 2, 0], [5, 5, 5]]
    """
    degrees = graph.degrees(faces)
    cuts = np.flatnonzero(np.diff(np.cumsum(degrees) // _EDGES)) + 1
    parts = [_leading(part, labels, graph) for part in np.split(faces, cuts)]
    return Leading(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _leading(faces: Ints, labels: Ints, graph: VotingGraph) -> Leading:
    edges, rows = graph.into(faces), np.arange(len(faces))
    heard, votes = labels[graph.sender[edges]], graph.votes[edges]
    names, numbers = _numbered(heard, len(labels))
    keys = np.repeat(rows * len(names), graph.degrees(faces)) + numbers[heard]
    sums, occurring = _sums(keys, votes, len(faces) * len(names))
    row, name = np.divmod(occurring, max(len(names), 1))
    most = np.zeros(len(faces), np.int64)
    np.maximum.at(most, row, sums)
    best = sums == most[row]
    return Leading(faces[row[best]], names[name[best]], sums[best])


def _numbered(heard: Ints, labels: int) -> tuple[Ints, Ints]:
    """Return the labels that occur, ascending, and the number of each among them."""
    occurs = np.zeros(labels, np.bool_)
    occurs[heard] = True
    return np.flatnonzero(occurs), np.cumsum(occurs) - 1


def _sums(keys: Ints, votes: Ints, cells: int) -> tuple[Ints, Ints]:
    """Sum votes by key: the sums and their keys, ascending."""
    if cells <= _CELLS_AN_EDGE * len(keys) and int(votes.max(initial=0)) * len(votes) < EXACT:
        table = np.bincount(keys, votes, cells)
        occurring = np.flatnonzero(table)
        return table[occurring].astype(np.int64), occurring
    order = np.argsort(keys, kind="stable")
    occurring, counts = np.unique(keys[order], return_counts=True)
    return np.add.reduceat(votes[order], starts_of(counts)), occurring

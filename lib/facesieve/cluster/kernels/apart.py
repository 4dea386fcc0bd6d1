"""Faces that may not be together, in groups, where all faces are here: cut clusters, and pairs that may not join.

A row says that a face (or a vertex) is of a group: members, groups int64 [r]. No two of a group may be together.
"""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from facesieve.cluster.kernels.constraints import VotingEdges, components, repaired

Ints = npt.NDArray[np.int64]


class Limits(NamedTuple):
    """Constraints between faces: must and cannot int64 [n, 2]; members and groups of the photographs int64 [r]."""

    must: Ints
    cannot: Ints
    photographed: Ints
    photographs: Ints

    def groups(self) -> tuple[Ints, Ints]:
        """Return members and groups of all that keeps faces apart: a group for each cannot-link and photograph.

        >>> none = np.zeros((0, 2), np.int64)
        >>> [each.tolist() for each in Limits(none, np.array([[4, 2]]), np.array([7, 8]), np.array([-5, -5])).groups()]
        [[4, 2, 7, 8], [0, 0, 1, 1]]
        """
        links = np.repeat(np.arange(len(self.cannot)), 2)
        photographs = np.unique(self.photographs, return_inverse=True)[1] + len(self.cannot)
        return np.append(self.cannot.ravel(), self.photographed), np.append(links, photographs)


def vertices_of(faces: Ints, must: Ints) -> Ints:
    """Return the vertex of each face: the smallest face that it must be with, or itself; int64 [n].

    >>> vertices_of(np.array([1, 5, 6]), np.array([[6, 1]])).tolist()
    [1, 5, 1]
    """
    linked, vertices = components(must)
    if not len(linked):
        return faces
    place = np.searchsorted(linked, faces).clip(max=len(linked) - 1)
    return np.where(linked[place] == faces, vertices[place], faces)


def contracted(edges: VotingEdges, must: Ints) -> VotingEdges:
    """Turn voting edges between faces into those between vertices, as `cluster.constraints.contracted` does.

    >>> edges = VotingEdges(np.array([1, 1, 2, 3]), np.array([2, 3, 3, 4]), np.array([9, 4, 5, 7]))
    >>> [column.tolist() for column in contracted(edges, np.array([[2, 1]]))]
    [[3, 1], [4, 3], [7, 9]]
    """
    if not len(must):
        return edges
    first, second = vertices_of(edges.src, must), vertices_of(edges.dst, must)
    linked = np.unique(must)
    touched = np.isin(edges.src, linked) | np.isin(edges.dst, linked)
    moved = touched & (first != second)
    pairs = np.sort(np.stack([first[moved], second[moved]], axis=1), axis=1)
    pair, number = np.unique(pairs, axis=0, return_inverse=True)
    sums = np.zeros(len(pair), np.int64)
    np.add.at(sums, number.ravel(), edges.votes[moved])
    added = pair[:, 0], pair[:, 1], sums
    return VotingEdges(*(np.append(column[~touched], more) for column, more in zip(edges, added, strict=True)))


def cut(ids: Ints, clusters: Ints, edges: VotingEdges, members: Ints, groups: Ints) -> Ints:
    """Cut the clusters that hold two members of a group, as `cluster.repair.repaired` does; int64 [V].

    ids: int64 [V], ascending, vertices; clusters: int64 [V], each the id of a member; members: vertices; rows of others
    count for nothing.

    >>> chain = VotingEdges(np.array([1, 2, 3]), np.array([2, 3, 4]), np.array([9, 4, 7]))
    >>> ones = np.ones(4, np.int64)
    >>> cut(np.array([1, 2, 3, 4]), ones, chain, np.array([1, 4, 9]), np.array([0, 0, 0])).tolist()
    [1, 1, 3, 3]
    """
    there = np.isin(members, ids)
    members, groups = members[there], groups[there]
    of = clusters[np.searchsorted(ids, members)]
    _, number, count = np.unique(np.stack([of, groups]), axis=1, return_inverse=True, return_counts=True)
    crowded = count[number.ravel()] > 1
    names = clusters.copy()
    source, target = (clusters[np.searchsorted(ids, ends)] for ends in edges[:2])
    for cluster in np.unique(of[crowded]).tolist():
        rows, rivals = np.flatnonzero(clusters == cluster), crowded & (of == cluster)
        inner = np.flatnonzero((source == cluster) & (target == cluster))
        inside = VotingEdges(*(column[inner] for column in edges))
        names[rows] = repaired(ids[rows], inside, members[rivals], groups[rivals])
    return names


def forbidden(faces: Ints, clusters: Ints, small: Ints, members: Ints, groups: Ints) -> Ints:
    """List the clusters that may not become one, at least one of them small: int64 [f, 2], ascending, each pair once.

    faces: int64 [n], ascending, and their clusters; small: the clusters that are.
    Rows of other faces count for nothing.

    >>> faces, clusters = np.array([1, 2, 3]), np.array([1, 2, 3])
    >>> forbidden(faces, clusters, np.array([1, 2]), np.array([3, 1, 2]), np.array([0, 0, 5])).tolist()
    [[1, 3]]
    """
    there = np.isin(members, faces)
    of = clusters[np.searchsorted(faces, members[there])]
    rows = np.unique(np.stack([groups[there], of]), axis=1)
    few = set(small.tolist())
    pairs = {
        pair
        for group in np.split(rows[1], np.flatnonzero(np.diff(rows[0])) + 1)
        for pair in combinations(group.tolist(), 2)
        if not few.isdisjoint(pair)
    }
    return np.array(sorted(pairs), np.int64).reshape(-1, 2)

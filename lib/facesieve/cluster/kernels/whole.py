"""A whole scope at once: vote, proof, clusters, cuts, medoids, attachment, as many tasks do it, to the bit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from facesieve.cluster.kernels.apart import Limits, contracted, cut, forbidden, vertices_of
from facesieve.cluster.kernels.coins import agreeing
from facesieve.cluster.kernels.components import roots
from facesieve.cluster.kernels.constraints import VotingEdges
from facesieve.cluster.kernels.leftovers import LARGE, Decision, FacesHere, decided
from facesieve.cluster.kernels.members import Measures, Vectors, measures
from facesieve.cluster.kernels.whispers import Coin, Start, finish_all, unstable_positions

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


class Voters(NamedTuple):
    """The faces of a scope: ids int64 [n], ascending; the label that each begins with, int64 [n]; vectors [n, D]."""

    ids: Ints
    labels: Ints
    vectors: Vectors


class Rule(NamedTuple):
    """How a scope is clustered.

    limit: the last superstep. link: the cosine that leftovers are judged by; None: none is attached, else about a share
    `error` of them wrongly.
    """

    coins: Sequence[Coin]
    limit: int
    link: float | None
    error: float


class Whole(NamedTuple):
    """The clusters of a scope, and how they came about.

    settled, attached: bool [n], of each face. histories, unstable: by coin the vertices that preferred another label
    when each superstep began, and those that the proof finds to prefer another at last. leftovers: None if none may
    join.
    """

    of: Measures
    settled: Flags
    attached: Flags
    histories: list[list[int]]
    unstable: list[int]
    leftovers: Decision | None


class _Voted(NamedTuple):
    """Clusters of the faces, their labels [n, K] and whether they settled."""

    clusters: Ints
    labels: Ints
    settled: Flags
    histories: list[list[int]]
    unstable: list[int]


def clustered(voters: Voters, edges: VotingEdges, limits: Limits, rule: Rule) -> Whole:
    """Cluster the faces of one scope by their voting edges (each pair once, src < dst, both ends among the faces).

    >>> voters = Voters(np.array([1, 2, 9]), np.array([1, 2, 9]), np.eye(3, dtype=np.float32))
    >>> none = np.zeros((0, 2), np.int64)
    >>> edge = VotingEdges(np.array([1]), np.array([2]), np.array([5]))
    >>> rule = Rule([Coin(0.75, 0)], 100, None, 0.0)
    >>> clustered(voters, edge, Limits(none, none, none[:, 0], none[:, 0]), rule).of.clusters.tolist()
    [1, 1, 9]
    """
    voted = _voted(voters, edges, limits, rule)
    of = measures(voted.clusters, voters.ids, voters.vectors, voted.labels)
    if rule.link is None:
        nobody = np.zeros(len(voters.ids), np.bool_)
        return Whole(of, voted.settled, nobody, voted.histories, voted.unstable, None)
    decision = _leftovers(voters, of, limits, rule.link, rule.error)
    grown, attached = _grown(voters, voted.labels, of, decision)
    return Whole(grown, voted.settled, attached, voted.histories, voted.unstable, decision)


def _voted(voters: Voters, edges: VotingEdges, limits: Limits, rule: Rule) -> _Voted:
    vertex = vertices_of(voters.ids, limits.must)
    graph = contracted(edges, limits.must)
    own = vertex == voters.ids
    ids, begun = voters.ids[own], vertices_of(voters.labels[own], limits.must)
    ends = finish_all(ids, graph, [Start(begun)] * len(rule.coins), rule.coins, rule.limit)
    labels = np.stack([end.labels for end in ends], axis=1)
    settled = ~np.any([end.wanting for end in ends], axis=0)
    a, b = (np.searchsorted(ids, each) for each in graph[:2])
    stay = agreeing(labels, a, b)
    clusters = ids[roots(len(ids), a[stay], b[stay])]
    members, groups = limits.groups()
    if len(members):
        clusters = cut(ids, clusters, graph, vertices_of(members, limits.must), groups)
    rows = np.searchsorted(ids, vertex)
    unstable = unstable_positions(labels, a, b, graph.votes)
    return _Voted(clusters[rows], labels[rows], settled[rows], [end.unsettled for end in ends], unstable)


def _leftovers(voters: Voters, of: Measures, limits: Limits, link: float, error: float) -> Decision:
    def apart(at_stake: Ints) -> Ints:
        members, groups = limits.groups()
        if not len(members):
            return np.zeros((0, 2), np.int64)
        rows = np.isin(of.clusters, at_stake)
        small = np.unique(of.clusters[rows & (of.sizes < LARGE)])
        return forbidden(voters.ids[rows], of.clusters[rows], small, members, groups)

    faces = FacesHere(of.clusters, voters.ids, voters.vectors, of.medoids)
    return decided(faces, link, error, apart)


def _grown(voters: Voters, labels: Ints, of: Measures, decision: Decision) -> tuple[Measures, Flags]:
    """Let leftovers join, measure the clusters that they join once more, and tell who has joined."""
    attached = np.isin(of.clusters, decision.clusters)
    rows = np.flatnonzero(attached | np.isin(of.clusters, decision.targets))
    if not len(rows):
        return of, attached
    merged = of.clusters[rows].copy()
    joined = attached[rows]
    merged[joined] = decision.targets[np.searchsorted(decision.clusters, merged[joined])]
    anew = measures(merged, voters.ids[rows], voters.vectors[rows], labels[rows])
    of.put(rows, anew)
    return of, attached

"""What constraints say of all faces at once is what they say of each pair."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from facesieve.cluster.kernels.apart import Limits, contracted, cut, forbidden, vertices_of
from facesieve.cluster.kernels.constraints import VotingEdges, repaired

RNG = np.random.default_rng(8)
FACES = np.sort(RNG.choice(1_000, 60, replace=False))


def edges(number: int) -> VotingEdges:
    pairs = np.array(list(itertools.combinations(FACES.tolist(), 2)))
    chosen = pairs[np.sort(RNG.choice(len(pairs), number, replace=False))]
    return VotingEdges(chosen[:, 0], chosen[:, 1], RNG.integers(1, 9, number))


def test_a_vertex_is_the_smallest_of_those_that_must_be_together() -> None:
    must = np.array([[FACES[5], FACES[3]], [FACES[9], FACES[5]], [FACES[7], FACES[8]]])
    vertex = dict(zip(FACES.tolist(), vertices_of(FACES, must).tolist(), strict=True))
    assert [vertex[FACES[at]] for at in (3, 5, 9, 7, 8)] == [FACES[3]] * 3 + [FACES[7]] * 2
    assert all(vertex[face] == face for face in np.delete(FACES, [3, 5, 9, 7, 8]).tolist())


def test_votes_between_two_vertices_add_up() -> None:
    must, graph = FACES[[[4, 9], [9, 20], [1, 2]]], edges(700)
    vertex = dict(zip(FACES.tolist(), vertices_of(FACES, must).tolist(), strict=True))
    expected: dict[tuple[int, int], int] = {}
    for src, dst, vote in zip(*(column.tolist() for column in graph), strict=True):
        pair = tuple(sorted((vertex[src], vertex[dst])))
        if pair[0] != pair[1]:
            expected[pair] = expected.get(pair, 0) + vote
    one = contracted(graph, must)
    assert dict(zip(zip(one.src.tolist(), one.dst.tolist(), strict=True), one.votes.tolist(), strict=True)) == expected
    assert len(one.src) == len(expected) < 700
    assert contracted(graph, must[:0]) is graph


def test_only_clusters_with_two_of_a_group_are_cut() -> None:
    graph, clusters = edges(500), FACES[np.arange(60) % 4]
    members = np.append(FACES[[0, 8, 1, 2, 6]], -1)
    groups = np.array([3, 3, 5, 5, 7, 7])
    names = cut(FACES, clusters, graph, members, groups)
    here = clusters == FACES[0]
    inside = np.isin(graph.src, FACES[here]) & np.isin(graph.dst, FACES[here])
    inner = VotingEdges(*(column[inside] for column in graph))
    assert names[here].tolist() == repaired(FACES[here], inner, members[:2], groups[:2]).tolist()
    assert names[0] != names[8]
    assert names[~here].tolist() == clusters[~here].tolist()


@pytest.mark.parametrize("small", [(0, 1), (1,), ()])
def test_clusters_with_faces_of_one_group_may_not_become_one(small: tuple[int, ...]) -> None:
    clusters = FACES[np.arange(60) % 3]
    members, groups = FACES[[0, 1, 4, 2, 5]], np.array([1, 1, 1, 2, 2])
    pairs = forbidden(FACES, clusters, FACES[list(small)], members, groups)
    assert pairs.tolist() == ([[FACES[0], FACES[1]]] if small else [])


def test_a_photograph_is_a_group_beside_the_cannot_links() -> None:
    limits = Limits(np.zeros((0, 2), int), np.array([[3, 1], [1, 2]]), np.array([5, 6, 7]), np.array([40, -9, 40]))
    members, groups = limits.groups()
    assert members.tolist() == [3, 1, 1, 2, 5, 6, 7]
    assert groups.tolist() == [0, 0, 1, 1, 3, 2, 3]

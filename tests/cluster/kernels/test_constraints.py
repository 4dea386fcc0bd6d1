from __future__ import annotations

import itertools
from random import Random

import networkx as nx
import numpy as np
import pytest
from graphs import Graph, graph
from hypothesis import example, given, settings
from hypothesis import strategies as st

from facesieve.cluster.kernels.constraints import (
    Contradiction,
    Pieces,
    VotingEdges,
    components,
    contradiction,
    repaired,
)

PAIRS = st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)).filter(lambda pair: pair[0] != pair[1]), max_size=14)
MEMBERS = st.lists(st.tuples(st.integers(-5, 5), st.integers(0, 3)), max_size=14)
GRAPHS = st.tuples(st.integers(1, 12), st.integers(0, 40), st.integers(0, 2**32))


def array(pairs: list[tuple[int, int]]) -> np.ndarray:
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def apart(members: np.ndarray, groups: np.ndarray) -> set[tuple[int, int, int]]:
    """(face, greater face, group) of all that may not be together."""
    rows = sorted(set(zip(members.tolist(), groups.tolist(), strict=True)))
    return {(a, b, g) for (a, g), (b, h) in itertools.combinations(rows, 2) if g == h}


def by_hand(sample: Graph, members: np.ndarray, groups: np.ndarray) -> list[int]:
    """The rule read aloud: strongest first, unless two that may not be together would be."""
    barred = {(a, b) for a, b, _ in apart(members, groups)}
    piece = {face: {face} for face in sample.ids.tolist()}
    rows = zip((-sample.votes).tolist(), sample.src.tolist(), sample.dst.tolist(), strict=True)
    for _, src, dst in sorted(rows):
        both = piece[src] | piece[dst]
        if not any(pair in barred for pair in itertools.combinations(sorted(both), 2)):
            piece.update(dict.fromkeys(both, both))
    return [min(piece[face]) for face in sample.ids.tolist()]


def rivals(sample: Graph, seed: int, many: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.choice(sample.ids, many), rng.integers(0, 4, many)


@given(PAIRS)
def test_components_are_those_of_the_must_links(pairs: list[tuple[int, int]]) -> None:
    faces, vertices = components(array(pairs))
    expected = {face: min(part) for part in nx.connected_components(nx.Graph(pairs)) for face in part}
    assert dict(zip(faces.tolist(), vertices.tolist(), strict=True)) == expected
    assert faces.tolist() == sorted(expected)


@settings(deadline=None)
@example([(1, 3), (1, 2)], [(1, 1), (2, 1), (3, 1), (1, 0), (2, 0)], Random(0))
@given(PAIRS, MEMBERS, st.randoms())
def test_contradiction_is_the_first_of_the_shortest_chains(
    pairs: list[tuple[int, int]], members: list[tuple[int, int]], random: Random
) -> None:
    rows = array(members)
    links = nx.Graph(pairs)
    chains = []
    for a, b, group in apart(rows[:, 0], rows[:, 1]):
        if a in links and b in links and nx.has_path(links, a, b):
            paths = nx.all_shortest_paths(links, a, b)
            chains += [(len(path), a, b, path, group) for path in paths]
    expected = Contradiction(*min(chains)[3:]) if chains else None
    assert contradiction(array(pairs), rows[:, 0], rows[:, 1]) == expected
    turned = [pair[::-1] for pair in random.sample(pairs, len(pairs))]
    rows = array(random.sample(members, len(members)))
    assert contradiction(array(turned), rows[:, 0], rows[:, 1]) == expected


def test_a_long_chain_and_a_crowd_that_does_not_contradict() -> None:
    chain = np.arange(3_000)
    must = np.stack([chain[:-1], chain[1:]], axis=1)
    assert contradiction(must, np.array([0, 2_999]), np.array([5, 5])) == Contradiction(chain.tolist(), 5)
    crowd = 10_000 + np.arange(2_000)
    assert contradiction(must, np.append(crowd, 7), np.zeros(2_001, dtype=np.int64)) is None


@settings(deadline=None)
@given(GRAPHS, st.integers(1, 3), st.integers(0, 12))
def test_repaired_equals_the_rule_read_aloud(shape: tuple[int, int, int], most: int, many: int) -> None:
    sample = graph(nx.gnm_random_graph(*shape[:2], seed=shape[2]), shape[2], most)
    members, groups = rivals(sample, shape[2], many)
    edges = VotingEdges(sample.src, sample.dst, sample.votes)
    result = repaired(sample.ids, edges, members, groups).tolist()
    assert result == by_hand(sample, members, groups)
    name = dict(zip(sample.ids.tolist(), result, strict=True))
    assert [pair for pair in apart(members, groups) if name[pair[0]] == name[pair[1]]] == []
    whole = nx.Graph(zip(sample.src.tolist(), sample.dst.tolist(), strict=True))
    whole.add_nodes_from(sample.ids.tolist())
    for piece in set(result):
        part = [face for face in name if name[face] == piece]
        assert nx.is_connected(whole.subgraph(part))
        assert piece == min(part)


@settings(deadline=None)
@given(GRAPHS, st.randoms())
def test_repaired_does_not_depend_on_order(shape: tuple[int, int, int], random: Random) -> None:
    sample = graph(nx.gnm_random_graph(*shape[:2], seed=shape[2]), shape[2], 2)
    members, groups = rivals(sample, shape[2], 8)
    result = repaired(sample.ids, VotingEdges(sample.src, sample.dst, sample.votes), members, groups)
    vertex, edge, row = (
        np.array(random.sample(range(n), n), dtype=np.int64) for n in (len(sample.ids), len(sample.src), len(members))
    )
    edges = VotingEdges(sample.src[edge], sample.dst[edge], sample.votes[edge])
    assert repaired(sample.ids[vertex], edges, members[row], groups[row]).tolist() == result[vertex].tolist()


@pytest.mark.parametrize("strong", [3, 1])
def test_a_cluster_is_cut_at_its_bridge(strong: int) -> None:
    """Two cliques of one cluster, and two faces, one of each, that are different people."""
    sample = graph(nx.barbell_graph(6, 0), seed=4)
    first = set(sample.ids[:6].tolist())
    inside = np.array([({a, b} <= first) or not ({a, b} & first) for a, b in zip(sample.src, sample.dst, strict=True)])
    votes = np.where(inside, strong, 1)
    result = repaired(
        sample.ids, VotingEdges(sample.src, sample.dst, votes), sample.ids[[0, 8]], np.zeros(2, dtype=np.int64)
    )
    assert len(set(result.tolist())) == 2
    if strong > 1:
        assert len(set(result[:6].tolist())) == len(set(result[6:].tolist())) == 1


def test_pieces_may_be_joined_block_by_block() -> None:
    ids = np.arange(5)
    whole, blocks = (Pieces(ids, np.array([0, 3]), np.zeros(2, dtype=np.int64)) for _ in range(2))
    src, dst = np.array([0, 2, 1, 3]), np.array([1, 3, 2, 4])
    whole.join(src, dst)
    for block in range(4):
        blocks.join(src[block : block + 1], dst[block : block + 1])
    assert whole.names().tolist() == blocks.names().tolist() == [0, 0, 2, 2, 2]

from __future__ import annotations

from collections import defaultdict

import networkx as nx
import numpy as np
import pytest
from graphs import SHAPES, Graph, graph, zoo
from hypothesis import given, settings
from hypothesis import strategies as st

from facesieve.cluster.kernels import whispers as kernel
from facesieve.cluster.kernels.whispers import Coin, Start, finish, split, unstable_vertices, whispers
from facesieve.faces.hashing import xxhash64

COIN = Coin(0.75, 0)


def by_hand(sample: Graph, coin: Coin, limit: int) -> tuple[dict[int, int], list[int]]:
    """Chinese Whispers as the rules read, with dictionaries; every face looks in every superstep."""
    neighbours: dict[int, dict[int, int]] = defaultdict(dict)
    for a, b, votes in zip(sample.src.tolist(), sample.dst.tolist(), sample.votes.tolist(), strict=True):
        neighbours[a][b] = neighbours[b][a] = votes
    labels = {face: face for face in sample.ids.tolist()}
    unsettled = []
    for step in range(1, limit + 1):
        wants = {}
        for face, own in labels.items():
            sums: dict[int, int] = defaultdict(int)
            for other, votes in neighbours[face].items():
                sums[labels[other]] += votes
            best = [label for label, total in sums.items() if total == max(sums.values())]
            if best and own not in best:
                wants[face] = min(best)
        unsettled.append(len(wants))
        if not wants or step == limit:
            break
        draws = {face: int(xxhash64(coin.seed, step, np.array([face]))[0]) % 2**64 >> 11 for face in wants}
        if step <= kernel.COIN_STEPS:
            movers = [face for face in wants if draws[face] < int(coin.heads * 2**53)]
        else:
            movers = [
                face
                for face in wants
                if all((draws[face], face) < (draws[rival], rival) for rival in neighbours[face] if rival in wants)
            ]
        labels.update({face: wants[face] for face in movers})
    return labels, unsettled


@settings(deadline=None)
@given(
    st.integers(1, 14), st.integers(0, 40), st.integers(1, 3), st.integers(0, 2**32), st.sampled_from([0.3, 0.75, 0.95])
)
def test_equals_the_rules_read_aloud(vertices: int, edges: int, most: int, seed: int, heads: float) -> None:
    sample = graph(nx.gnm_random_graph(vertices, edges, seed=seed), seed, most)
    labels, unsettled = by_hand(sample, Coin(heads, seed), 100)
    result = whispers(*sample, Coin(heads, seed), 100)
    assert result.labels.tolist() == [labels[face] for face in sample.ids.tolist()]
    assert result.unsettled == unsettled


@pytest.mark.parametrize("name", SHAPES)
def test_settles_at_a_fixed_point(name: str) -> None:
    sample = graph(SHAPES[name], seed=3)
    result = whispers(*sample, COIN, 500)
    assert result.settled
    assert result.supersteps == len(result.unsettled)
    assert result.unsettled[-1] == 0
    assert result.labels.tolist() == list(by_hand(sample, COIN, 500)[0].values())


def test_equal_bipartite_needs_more_than_the_coin(monkeypatch: pytest.MonkeyPatch) -> None:
    sample = graph(nx.complete_bipartite_graph(40, 40), seed=1)
    assert kernel.COIN_STEPS < whispers(*sample, COIN, 500).supersteps < 500
    monkeypatch.setattr(kernel, "COIN_STEPS", 500)
    assert not whispers(*sample, COIN, 500).settled


def test_two_cliques_with_a_bridge_are_two_people() -> None:
    sample = graph(nx.barbell_graph(8, 0), seed=5)
    labels = whispers(*sample, COIN, 500).labels
    assert len(set(labels[:8].tolist())) == len(set(labels[8:].tolist())) == 1
    assert labels[0] != labels[8]


def test_order_of_rows_and_ends_does_not_matter() -> None:
    sample = zoo(seed=2)
    rng = np.random.default_rng(0)
    rows, vertices = rng.permutation(len(sample.src)), rng.permutation(len(sample.ids))
    shuffled = whispers(sample.ids[vertices], sample.dst[rows], sample.src[rows], sample.votes[rows], COIN, 500)
    straight = whispers(*sample, COIN, 500)
    assert shuffled.labels.tolist() == straight.labels[vertices].tolist()
    assert shuffled.unsettled == straight.unsettled


def test_at_the_limit_it_says_not_settled() -> None:
    sample = zoo(seed=2)
    result = whispers(*sample, COIN, 3)
    assert not result.settled
    assert result.supersteps == 3
    assert result.unsettled == whispers(*sample, COIN, 500).unsettled[:3]


def test_nothing_to_do() -> None:
    none = np.array([], dtype=np.int64)
    assert whispers(none, none, none, none, COIN, 5).unsettled == [0]
    assert whispers(np.array([4, 2]), none, none, none, COIN, 5).labels.tolist() == [4, 2]


@settings(deadline=None)
@given(st.integers(1, 30), st.integers(0, 40), st.integers(1, 4), st.integers(0, 2**32))
def test_split_equals_connected_components(vertices: int, edges: int, labels: int, seed: int) -> None:
    sample = graph(nx.gnm_random_graph(vertices, edges, seed=seed), seed)
    label = dict(
        zip(sample.ids.tolist(), np.random.default_rng(seed).integers(0, labels, vertices).tolist(), strict=True)
    )
    inner = nx.Graph()
    inner.add_nodes_from(label)
    inner.add_edges_from((a, b) for a, b in zip(sample.src, sample.dst, strict=True) if label[a] == label[b])
    names = {face: min(part) for part in nx.connected_components(inner) for face in part}
    result = split(sample.ids, np.array(list(label.values())), sample.src, sample.dst)
    assert result.tolist() == [names[face] for face in sample.ids.tolist()]


@pytest.mark.parametrize("done", [0, 1, 4, 43])
def test_goes_on_from_any_superstep_with_what_remains(done: int) -> None:
    sample = graph(nx.disjoint_union_all([*SHAPES.values(), nx.complete_bipartite_graph(40, 40)]), seed=7)
    whole = whispers(*sample, COIN, 500)
    # At its limit the last superstep moves nobody: it leaves the labels that the superstep before it has made.
    halfway = whispers(*sample, COIN, done + 1)
    assert halfway.unsettled[-1] > 0
    alive = nx.Graph(list(zip(sample.src.tolist(), sample.dst.tolist(), strict=True)))
    left = set().union(*(nx.node_connected_component(alive, face) for face in sample.ids[halfway.wanting].tolist()))
    remain, inside = np.isin(sample.ids, list(left)), np.isin(sample.src, list(left))
    edges = sample.src[inside], sample.dst[inside], sample.votes[inside]
    end = finish(sample.ids[remain], edges, Start(halfway.labels[remain], done), COIN, 500)
    labels = halfway.labels.copy()
    labels[remain] = end.labels
    assert labels.tolist() == whole.labels.tolist()
    assert halfway.unsettled[:-1] + end.unsettled == whole.unsettled
    assert unstable_vertices(sample.ids, labels[:, None], *sample[1:]) == [0]


@settings(deadline=None)
@given(st.integers(2, 14), st.integers(0, 40), st.integers(1, 4), st.integers(0, 2**32))
def test_unstable_vertices_are_those_who_would_rather_be_elsewhere(
    vertices: int, edges: int, most: int, seed: int
) -> None:
    sample = graph(nx.gnm_random_graph(vertices, edges, seed=seed), seed, most)
    labels = sample.ids[np.random.default_rng(seed).integers(0, vertices, vertices)]
    label = dict(zip(sample.ids.tolist(), labels.tolist(), strict=True))
    sums: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for a, b, votes in zip(sample.src.tolist(), sample.dst.tolist(), sample.votes.tolist(), strict=True):
        sums[a][label[b]] += votes
        sums[b][label[a]] += votes
    wanting = sum(heard.get(label[face], 0) < max(heard.values()) for face, heard in sums.items())
    settled = whispers(*sample, COIN, 100).labels
    both = np.stack([labels, settled], axis=1)
    assert unstable_vertices(sample.ids, both, *sample[1:]) == [wanting, 0]


def test_labels_may_be_those_of_faces_that_are_not_there() -> None:
    ids, edges = np.array([1, 2, 3, 4]), (np.array([1, 3]), np.array([2, 4]), np.array([5, 5]))
    assert finish(ids, edges, Start(np.array([-9, -9, 7, 3])), COIN, 100).labels[:2].tolist() == [-9, -9]

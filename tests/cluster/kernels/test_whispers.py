from __future__ import annotations

from collections import defaultdict

import networkx as nx
import numpy as np
import pytest
from graphs import SHAPES, Graph, graph, zoo
from hypothesis import given, settings
from hypothesis import strategies as st

from facesieve.cluster.kernels import whispers as kernel
from facesieve.cluster.kernels.whispers import Coin, Start, discontent, finish, split, whispers
from facesieve.faces.hashing import xxhash64

COIN = Coin(0.75, 0)


def by_hand(given: Graph, coin: Coin, limit: int) -> tuple[dict[int, int], list[int]]:
    """Chinese Whispers as the rules read, with dictionaries; every face looks in every superstep."""
    neighbours: dict[int, dict[int, int]] = defaultdict(dict)
    for a, b, votes in zip(given.src.tolist(), given.dst.tolist(), given.votes.tolist(), strict=True):
        neighbours[a][b] = neighbours[b][a] = votes
    labels = {face: face for face in given.ids.tolist()}
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
    made = graph(nx.gnm_random_graph(vertices, edges, seed=seed), seed, most)
    labels, unsettled = by_hand(made, Coin(heads, seed), 100)
    found = whispers(*made, Coin(heads, seed), 100)
    assert found.labels.tolist() == [labels[face] for face in made.ids.tolist()]
    assert found.unsettled == unsettled


@pytest.mark.parametrize("name", SHAPES)
def test_settles_at_a_fixed_point(name: str) -> None:
    made = graph(SHAPES[name], seed=3)
    found = whispers(*made, COIN, 500)
    assert found.settled
    assert found.supersteps == len(found.unsettled)
    assert found.unsettled[-1] == 0
    assert found.labels.tolist() == list(by_hand(made, COIN, 500)[0].values())


def test_equal_bipartite_needs_more_than_the_coin(monkeypatch: pytest.MonkeyPatch) -> None:
    made = graph(nx.complete_bipartite_graph(40, 40), seed=1)
    assert kernel.COIN_STEPS < whispers(*made, COIN, 500).supersteps < 500
    monkeypatch.setattr(kernel, "COIN_STEPS", 500)
    assert not whispers(*made, COIN, 500).settled


def test_two_cliques_with_a_bridge_are_two_people() -> None:
    made = graph(nx.barbell_graph(8, 0), seed=5)
    labels = whispers(*made, COIN, 500).labels
    assert len(set(labels[:8].tolist())) == len(set(labels[8:].tolist())) == 1
    assert labels[0] != labels[8]


def test_order_of_rows_and_ends_does_not_matter() -> None:
    made = zoo(seed=2)
    rng = np.random.default_rng(0)
    rows, vertices = rng.permutation(len(made.src)), rng.permutation(len(made.ids))
    shuffled = whispers(made.ids[vertices], made.dst[rows], made.src[rows], made.votes[rows], COIN, 500)
    straight = whispers(*made, COIN, 500)
    assert shuffled.labels.tolist() == straight.labels[vertices].tolist()
    assert shuffled.unsettled == straight.unsettled


def test_at_the_limit_it_says_not_settled() -> None:
    made = zoo(seed=2)
    found = whispers(*made, COIN, 3)
    assert not found.settled
    assert found.supersteps == 3
    assert found.unsettled == whispers(*made, COIN, 500).unsettled[:3]


def test_nothing_to_do() -> None:
    none = np.array([], dtype=np.int64)
    assert whispers(none, none, none, none, COIN, 5).unsettled == [0]
    assert whispers(np.array([4, 2]), none, none, none, COIN, 5).labels.tolist() == [4, 2]


@settings(deadline=None)
@given(st.integers(1, 30), st.integers(0, 40), st.integers(1, 4), st.integers(0, 2**32))
def test_split_equals_connected_components(vertices: int, edges: int, labels: int, seed: int) -> None:
    made = graph(nx.gnm_random_graph(vertices, edges, seed=seed), seed)
    label = dict(
        zip(made.ids.tolist(), np.random.default_rng(seed).integers(0, labels, vertices).tolist(), strict=True)
    )
    inner = nx.Graph()
    inner.add_nodes_from(label)
    inner.add_edges_from((a, b) for a, b in zip(made.src, made.dst, strict=True) if label[a] == label[b])
    names = {face: min(part) for part in nx.connected_components(inner) for face in part}
    found = split(made.ids, np.array(list(label.values())), made.src, made.dst)
    assert found.tolist() == [names[face] for face in made.ids.tolist()]


@pytest.mark.parametrize("done", [0, 1, 4, 43])
def test_goes_on_from_any_superstep_with_what_remains(done: int) -> None:
    made = graph(nx.disjoint_union_all([*SHAPES.values(), nx.complete_bipartite_graph(40, 40)]), seed=7)
    whole = whispers(*made, COIN, 500)
    # At its limit the last superstep moves nobody: it leaves the labels that the one before it has made.
    halfway = whispers(*made, COIN, done + 1)
    assert halfway.unsettled[-1] > 0
    alive = nx.Graph(list(zip(made.src.tolist(), made.dst.tolist(), strict=True)))
    left = set().union(*(nx.node_connected_component(alive, face) for face in made.ids[halfway.wanting].tolist()))
    kept, inside = np.isin(made.ids, list(left)), np.isin(made.src, list(left))
    edges = tuple(column[inside] for column in made[1:])
    end = finish(made.ids[kept], edges, Start(halfway.labels[kept], done), COIN, 500)
    labels = halfway.labels.copy()
    labels[kept] = end.labels
    assert labels.tolist() == whole.labels.tolist()
    assert halfway.unsettled[:-1] + end.unsettled == whole.unsettled
    assert discontent(made.ids, labels, *made[1:]) == 0


@settings(deadline=None)
@given(st.integers(2, 14), st.integers(0, 40), st.integers(1, 4), st.integers(0, 2**32))
def test_discontent_counts_those_who_would_rather_be_elsewhere(vertices: int, edges: int, most: int, seed: int) -> None:
    made = graph(nx.gnm_random_graph(vertices, edges, seed=seed), seed, most)
    labels = made.ids[np.random.default_rng(seed).integers(0, vertices, vertices)]
    label = dict(zip(made.ids.tolist(), labels.tolist(), strict=True))
    sums: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for a, b, votes in zip(made.src.tolist(), made.dst.tolist(), made.votes.tolist(), strict=True):
        sums[a][label[b]] += votes
        sums[b][label[a]] += votes
    wanting = sum(heard.get(label[face], 0) < max(heard.values()) for face, heard in sums.items())
    assert discontent(made.ids, labels, *made[1:]) == wanting


def test_labels_may_be_those_of_faces_that_are_not_there() -> None:
    ids, edges = np.array([1, 2, 3, 4]), (np.array([1, 3]), np.array([2, 4]), np.array([5, 5]))
    assert finish(ids, edges, Start(np.array([-9, -9, 7, 3])), COIN, 100).labels[:2].tolist() == [-9, -9]

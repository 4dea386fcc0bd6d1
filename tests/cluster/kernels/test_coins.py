from __future__ import annotations

import hashlib

import networkx as nx
import numpy as np
import pytest
from graphs import Graph, graph, zoo
from hypothesis import given, settings
from hypothesis import strategies as st
from two_people import IDS, PEOPLE, voting_edges

from facesieve.cluster.kernels.coins import coins, stability, together, totals
from facesieve.cluster.kernels.whispers import Coin, Start, finish, finish_all, split, unstable_vertices, whispers

LIMIT = 500


def labels_of(sample: Graph, minted: list[Coin]) -> np.ndarray:
    ends = finish_all(sample.ids, sample[1:], [Start(sample.ids)] * len(minted), minted, LIMIT)
    return np.stack([end.labels for end in ends], axis=1)


def test_coin_0_has_the_seed_itself_and_no_two_seeds_have_a_coin_in_common() -> None:
    seeds = [[coin.seed for coin in coins(0.75, seed, 32)] for seed in (*range(-50, 50), 2**63 - 1, -(2**63))]
    assert [row[0] for row in seeds] == [*range(-50, 50), 2**63 - 1, -(2**63)]
    assert len({seed for row in seeds for seed in row}) == 32 * len(seeds)
    # More coins are the same coins and some besides.
    assert coins(0.75, 3, 32)[:5] == coins(0.75, 3, 5)


@settings(deadline=None)
@given(st.integers(1, 14), st.integers(0, 40), st.integers(1, 3), st.integers(0, 2**32), st.integers(1, 4))
def test_each_coin_votes_by_itself(vertices: int, edges: int, most: int, seed: int, number: int) -> None:
    sample = graph(nx.gnm_random_graph(vertices, edges, seed=seed), seed, most)
    minted = coins(0.75, seed, number)
    for coin, end in zip(
        minted, finish_all(sample.ids, sample[1:], [Start(sample.ids)] * number, minted, LIMIT), strict=True
    ):
        alone = whispers(*sample, coin, LIMIT)
        assert (end.labels.tolist(), end.unsettled) == (alone.labels.tolist(), alone.unsettled)
        assert unstable_vertices(sample.ids, end.labels[:, None], *sample[1:]) == [0]


def test_coins_may_begin_and_stand_anywhere() -> None:
    sample, minted = zoo(seed=4), coins(0.75, 1, 3)
    labels = [sample.ids, np.sort(sample.ids), sample.ids]
    starts = [Start(each, done) for each, done in zip(labels, (0, 2, 39), strict=True)]
    for start, coin, end in zip(starts, minted, finish_all(sample.ids, sample[1:], starts, minted, LIMIT), strict=True):
        alone = finish(sample.ids, sample[1:], start, coin, LIMIT)
        assert (end.labels.tolist(), end.unsettled) == (alone.labels.tolist(), alone.unsettled)


@settings(deadline=None)
@given(st.integers(1, 20), st.integers(0, 50), st.integers(1, 6), st.integers(0, 2**32))
def test_clusters_are_components_of_what_half_of_the_coins_hold(
    vertices: int, edges: int, number: int, seed: int
) -> None:
    sample = graph(nx.gnm_random_graph(vertices, edges, seed=seed), seed)
    labels = np.random.default_rng(seed).integers(0, 2, (vertices, number))
    row = {face: labels[place].tolist() for place, face in enumerate(sample.ids.tolist())}
    held = nx.Graph()
    held.add_nodes_from(row)
    for a, b in zip(sample.src.tolist(), sample.dst.tolist(), strict=True):
        shares = [one == other for one, other in zip(row[a], row[b], strict=True)]
        if 2 * sum(shares) >= number:
            held.add_edge(a, b)
    names = {face: min(part) for part in nx.connected_components(held) for face in part}
    result = together(sample.ids, labels, sample.src, sample.dst)
    assert result.tolist() == [names[face] for face in sample.ids.tolist()]


def test_one_coin_is_the_vote_of_before_there_were_several() -> None:
    """The digest is that of 0.5.0, of the labels and the clusters in the order of the ids."""
    sample = zoo(seed=9)
    (end,) = finish_all(sample.ids, sample[1:], [Start(sample.ids)], coins(0.75, 5, 1), LIMIT)
    clusters = together(sample.ids, end.labels[:, None], sample.src, sample.dst)
    written = end.labels.astype("<i8").tobytes() + clusters.astype("<i8").tobytes()
    assert hashlib.sha256(written).hexdigest()[:16] == "d437a72702e9e512"
    assert end.unsettled == [292, 208, 130, 88, 26, 10, 6, 4, 2, 1, 2, 0]
    assert clusters.tolist() == split(sample.ids, end.labels, sample.src, sample.dst).tolist()


def test_order_of_rows_does_not_matter() -> None:
    sample, rng = zoo(seed=2), np.random.default_rng(0)
    labels = labels_of(sample, coins(0.75, 0, 6))
    straight = together(sample.ids, labels, sample.src, sample.dst)
    vertices, rows = rng.permutation(len(sample.ids)), rng.permutation(len(sample.src))
    shuffled = together(sample.ids[vertices], labels[vertices], sample.dst[rows], sample.src[rows])
    assert shuffled.tolist() == straight[vertices].tolist()


def test_two_people_whom_one_coin_unites_are_two_by_eight() -> None:
    """Two people of 5 and 4 photographs: 98 of 100 coins tell them apart, and the first one does not."""
    sample = voting_edges()
    many = labels_of(sample, coins(0.75, 0, 200))
    clusters = np.array([len(np.unique(column)) for column in many.T])
    assert np.mean(clusters == 2) == 0.98
    assert clusters[0] == 1
    assert np.unique(together(IDS, many[:, :1], sample.src, sample.dst)).tolist() == [1]
    for number in (3, 4, 5, 8, 12):
        assert together(IDS, many[:, :number], sample.src, sample.dst).tolist() == PEOPLE.tolist()


@pytest.mark.parametrize("seed", range(10))
def test_two_people_are_two_whatever_the_seed(seed: int) -> None:
    sample = voting_edges()
    assert together(IDS, labels_of(sample, coins(0.75, seed, 8)), sample.src, sample.dst).tolist() == PEOPLE.tolist()


def test_stability_is_the_share_of_coins_with_the_medoid() -> None:
    labels = np.array([[1, 1, 1, 1], [1, 2, 2, 1], [3, 3, 3, 3]])
    assert stability(labels, 0).tolist() == [1.0, 0.5, 0.0]
    assert stability(labels, 1).tolist() == [0.5, 1.0, 0.0]
    assert stability(labels[:, :1], 0).tolist() == [1.0, 1.0, 1.0]
    assert stability(labels[2:], 0).dtype == np.float32


def test_totals_count_a_coin_until_it_ends() -> None:
    assert totals([[7, 3, 0], [7, 0], [7, 4, 2]]) == [21, 7, 2]
    assert totals([[], []]) == []

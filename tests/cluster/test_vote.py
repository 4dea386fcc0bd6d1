from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from graphs import SHAPES, Graph, graph
from pyspark.sql import SparkSession

from facesieve.cluster import vote as module
from facesieve.cluster import vote_blocks, vote_sums
from facesieve.cluster.checkpoints import Checkpoints
from facesieve.cluster.frames import VERTICES, VOTING_EDGES, Vertices, VotingEdges
from facesieve.cluster.kernels import whispers as kernel
from facesieve.cluster.kernels.coins import coins, together
from facesieve.cluster.supersteps import Voting
from facesieve.core import frames, sections
from facesieve.core.errors import InvariantError

COINS = 5
MINTED = coins(0.75, 0, COINS)
EVERYTHING = nx.disjoint_union_all(
    [*SHAPES.values(), nx.path_graph(200), nx.complete_bipartite_graph(12, 12), nx.gnm_random_graph(80, 200, seed=5)]
)

Vote = Callable[..., module.Voted]


@pytest.fixture
def vote(spark: SparkSession, tmp_path: Path) -> Vote:
    def run(
        sample: Graph, below: int, labels: np.ndarray | None = None, partitions: int = 2, number: int = COINS
    ) -> module.Voted:
        begun = list(zip(sample.ids.tolist(), (sample.ids if labels is None else labels).tolist(), strict=True))
        vertices = Vertices(spark.createDataFrame(begun, VERTICES).repartition(partitions))
        rows = np.random.default_rng(partitions).permutation(np.stack(sample[1:], axis=1))
        edges = VotingEdges(spark.createDataFrame(rows.tolist(), VOTING_EDGES).repartition(partitions))
        settings = sections.Cluster(finish_locally_below=below, coins=number)
        checkpoints = Checkpoints(spark, str(tmp_path / str(below)), "test")
        return module.vote(vertices, edges, Voting(settings, checkpoints, lambda *_: None))

    return run


def hold(result: module.Voted, sample: Graph, begun: np.ndarray | None = None, number: int = COINS) -> None:
    start = kernel.Start(sample.ids if begun is None else begun)
    truth = [kernel.finish(sample.ids, sample[1:], start, coin, 500) for coin in MINTED[:number]]
    labels = np.stack([each.labels for each in truth], axis=1)
    clusters = together(sample.ids, labels, sample.src, sample.dst)
    rows = {row["id"]: (row["labels"], row["cluster"], row["settled"]) for row in result.rows.collect()}
    assert result.rows.count() == len(sample.ids)
    expected = [(of_face, name, True) for of_face, name in zip(labels.tolist(), clusters.tolist(), strict=True)]
    assert [rows[face] for face in sample.ids.tolist()] == expected
    assert result.histories == [each.unsettled for each in truth]
    assert (result.settled, result.supersteps) == (True, max(each.supersteps for each in truth))


@pytest.mark.parametrize("partitions", [1, 7])
def test_one_task_equals_the_kernels(vote: Vote, partitions: int) -> None:
    for most in (1, 3):
        sample = graph(EVERYTHING, seed=most, most=most)
        result = vote(sample, below=len(sample.src), partitions=partitions)
        hold(result, sample)
        assert result.finished_locally == result.supersteps


def test_messages_and_then_one_task_equal_the_kernels(vote: Vote) -> None:
    sample = graph(nx.disjoint_union(nx.barbell_graph(9, 2), nx.gnm_random_graph(60, 120, seed=5)), seed=3)
    result = vote(sample, below=130)
    hold(result, sample)
    assert 0 < result.finished_locally < result.supersteps


def test_messages_that_are_joined_equal_the_kernels(vote: Vote, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "BROADCAST_ROWS", 0)
    monkeypatch.setattr(vote_blocks, "_MOST_BYTES", 0)
    sample = graph(nx.gnm_random_graph(30, 60, seed=5), seed=3)
    hold(vote(sample, below=0), sample)


def test_messages_equal_the_kernels(vote: Vote) -> None:
    sample = graph(nx.disjoint_union(nx.barbell_graph(9, 2), nx.gnm_random_graph(60, 120, seed=5)), seed=3)
    hold(vote(sample, below=0), sample)


def test_one_task_begins_with_the_labels_given(vote: Vote) -> None:
    sample = graph(EVERYTHING, seed=4, most=2)
    begun = kernel.whispers(*sample, MINTED[0], 500).labels
    begun[:5], begun[5:8] = sample.ids[:5], 77
    hold(vote(sample, len(sample.src), begun), sample, begun)


def test_a_hub_of_degree_100_000(vote: Vote) -> None:
    sample = graph(nx.star_graph(100_000), seed=6)
    hold(vote(sample, below=len(sample.src)), sample)


@pytest.mark.parametrize("below", [0, 1_000])
def test_a_false_fixed_point_is_refused(vote: Vote, monkeypatch: pytest.MonkeyPatch, below: int) -> None:
    honest, unstable = module.verify, [0, 0, 1, 0, 0]
    if below:
        monkeypatch.setattr(module, "verify", lambda each, _: honest(each, unstable))
    else:
        monkeypatch.setattr(vote_sums, "proof", lambda *_: unstable)
    with pytest.raises(InvariantError, match="coin 2 is said to have settled, but 1 faces"):
        vote(graph(nx.path_graph(3), seed=1), below)


def test_no_edges(vote: Vote) -> None:
    sample = graph(nx.empty_graph(3), seed=2)
    for below in (0, 10):
        hold(vote(sample, below), sample)

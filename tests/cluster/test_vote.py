from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from graphs import SHAPES, Graph, graph
from pyspark.sql import SparkSession

from facesieve.cluster import vote as stage
from facesieve.cluster.checkpoints import Progress
from facesieve.cluster.kernels import whispers as kernel
from facesieve.cluster.supersteps import Voting
from facesieve.core import config
from facesieve.core.errors import InvariantError

COIN = kernel.Coin(0.75, 0)
EVERYTHING = nx.disjoint_union_all(
    [*SHAPES.values(), nx.path_graph(200), nx.complete_bipartite_graph(12, 12), nx.gnm_random_graph(80, 200, seed=5)]
)

Vote = Callable[..., stage.Voted]


@pytest.fixture
def vote(spark: SparkSession, tmp_path: Path) -> Vote:
    def run(made: Graph, below: int, labels: np.ndarray | None = None, partitions: int = 2) -> stage.Voted:
        given = list(zip(made.ids.tolist(), (made.ids if labels is None else labels).tolist(), strict=True))
        vertices = spark.createDataFrame(given, "id long, label long").repartition(partitions)
        rows = np.random.default_rng(partitions).permutation(np.stack(made[1:], axis=1))
        edges = spark.createDataFrame(rows.tolist(), "src long, dst long, vote long").repartition(partitions)
        settings = config.Cluster(finish_locally_below=below)
        progress = Progress(spark, str(tmp_path / str(below)), "test")
        return stage.vote(vertices, edges, Voting(settings, progress, lambda *_: None))

    return run


def hold(found: stage.Voted, made: Graph, labels: np.ndarray | None = None) -> None:
    truth = kernel.finish(made.ids, made[1:], kernel.Start(made.ids if labels is None else labels), COIN, 500)
    clusters = kernel.split(made.ids, truth.labels, made.src, made.dst)
    rows = {row["id"]: (row["cluster"], row["settled"]) for row in found.rows.collect()}
    assert found.rows.count() == len(made.ids)
    assert [rows[face] for face in made.ids.tolist()] == [(cluster, True) for cluster in clusters.tolist()]
    assert found.unsettled == truth.unsettled
    assert (found.settled, found.supersteps) == (True, truth.supersteps)


@pytest.mark.parametrize("partitions", [1, 7])
def test_one_task_equals_the_kernels(vote: Vote, partitions: int) -> None:
    for most in (1, 3):
        made = graph(EVERYTHING, seed=most, most=most)
        found = vote(made, below=len(made.src), partitions=partitions)
        hold(found, made)
        assert found.finished_locally == found.supersteps


def test_messages_and_then_one_task_equal_the_kernels(vote: Vote) -> None:
    made = graph(nx.disjoint_union(nx.barbell_graph(9, 2), nx.gnm_random_graph(60, 120, seed=5)), seed=3)
    found = vote(made, below=130)
    hold(found, made)
    assert 0 < found.finished_locally < found.supersteps


def test_one_task_begins_with_the_labels_given(vote: Vote) -> None:
    made = graph(EVERYTHING, seed=4, most=2)
    begun = kernel.whispers(*made, COIN, 500).labels
    begun[:5], begun[5:8] = made.ids[:5], 77
    hold(vote(made, len(made.src), begun), made, begun)


def test_a_hub_of_degree_100_000(vote: Vote) -> None:
    made = graph(nx.star_graph(100_000), seed=6)
    hold(vote(made, below=len(made.src)), made)


@pytest.mark.parametrize("below", [0, 1_000])
def test_a_false_fixed_point_is_refused(vote: Vote, monkeypatch: pytest.MonkeyPatch, below: int) -> None:
    settled = "_verify" if below else "discontent"
    honest = getattr(stage, settled)
    monkeypatch.setattr(stage, settled, (lambda _: honest(1)) if below else (lambda *_: 1))
    with pytest.raises(InvariantError, match="said to have settled, but 1 faces"):
        vote(graph(nx.path_graph(3), seed=1), below)


def test_no_edges(vote: Vote) -> None:
    made = graph(nx.empty_graph(3), seed=2)
    for below in (0, 10):
        hold(vote(made, below), made)

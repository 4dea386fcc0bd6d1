from __future__ import annotations

from collections.abc import Iterator

import networkx as nx
import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from facesieve import config
from facesieve.kernels import whispers as kernel
from facesieve.stages import supersteps
from graphs import Graph, graph, zoo

ADAPTIVE = "spark.sql.adaptive.enabled"


@pytest.fixture
def adaptive(spark: SparkSession, request: pytest.FixtureRequest) -> Iterator[None]:
    former = spark.conf.get(ADAPTIVE)
    spark.conf.set(ADAPTIVE, request.param)
    yield
    spark.conf.set(ADAPTIVE, former)


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the coin rest after few supersteps, so that a test sees both rules."""
    monkeypatch.setattr(kernel, "COIN_STEPS", 3)
    monkeypatch.setattr(supersteps, "COIN_STEPS", 3)


def frames(spark: SparkSession, made: Graph, partitions: int, seed: int) -> tuple[DataFrame, DataFrame]:
    rng = np.random.default_rng(seed)
    faces = [(face,) for face in rng.permutation(made.ids).tolist()]
    pairs = rng.permutation(np.stack(made[1:], axis=1)).tolist()
    vertices = spark.createDataFrame(faces, "id long").repartition(partitions)
    return vertices, spark.createDataFrame(pairs, "src long, dst long, vote long").repartition(partitions)


def compare(spark: SparkSession, made: Graph, settings: config.Cluster, partitions: int) -> supersteps.Outcome:
    """Run the stage and hold it against the kernel: labels vertex by vertex, and the history."""
    said: list[tuple[int, int]] = []
    vertices, edges = frames(spark, made, partitions, seed=partitions)
    found = supersteps.whispers(vertices, edges, settings, lambda *now: said.append(now))
    coin = kernel.Coin(settings.update_fraction, settings.seed)
    truth = kernel.whispers(*made, coin, settings.max_supersteps)
    labels = {row["id"]: row["label"] for row in found.labels.collect()}
    assert found.labels.count() == len(made.ids)
    assert [labels[face] for face in made.ids.tolist()] == truth.labels.tolist()
    assert (found.supersteps, found.unsettled, found.settled) == truth[1:]
    assert said == list(enumerate(truth.unsettled, start=1))
    return found


@pytest.mark.usefixtures("soon", "adaptive")
@pytest.mark.parametrize(("adaptive", "partitions"), [("true", 1), ("false", 2), ("true", 7)], indirect=["adaptive"])
def test_equals_the_kernel_vertex_by_vertex(spark: SparkSession, partitions: int) -> None:
    found = compare(spark, zoo(seed=1014), config.Cluster(max_supersteps=12), partitions)
    assert found.settled
    assert found.supersteps > kernel.COIN_STEPS + 2
    assert found.labels.where("settled").count() == found.labels.count()


def test_other_coin_and_limit(spark: SparkSession) -> None:
    settings = config.Cluster(seed=-5, update_fraction=0.4, max_supersteps=3)
    found = compare(spark, zoo(seed=12), settings, 2)
    assert not found.settled
    assert found.labels.where(~F.col("settled")).count() == found.unsettled[-1]


def test_large_moves_are_joined_without_broadcast(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supersteps, "BROADCAST_MOVED", 0)
    monkeypatch.setattr(supersteps, "FILTER_BELOW", 2.0)
    made = graph(nx.gnm_random_graph(40, 90, seed=2), seed=2, most=2)
    compare(spark, made, config.Cluster(max_supersteps=4), 2)


def test_no_edges(spark: SparkSession) -> None:
    none = np.array([], dtype=np.int64)
    assert compare(spark, Graph(np.array([5, -7, 6]), none, none, none), config.Cluster(), 2).unsettled == [0]


def test_draws_are_the_kernels(spark: SparkSession) -> None:
    ids = np.random.default_rng(4).integers(-(2**63), 2**63 - 1, 20)
    frame = spark.createDataFrame([(face,) for face in ids.tolist()], "id long")
    spoken = dict(frame.select("id", supersteps.draws(41, -9)).collect())
    assert [spoken[face] for face in ids.tolist()] == kernel.Coin(0.5, -9).draws(41, ids).tolist()


def test_a_hub_is_no_harder_than_its_degree(spark: SparkSession) -> None:
    made = graph(nx.star_graph(20_000), seed=6)
    compare(spark, made, config.Cluster(max_supersteps=2), 2)

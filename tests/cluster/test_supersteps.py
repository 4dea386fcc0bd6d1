from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from graphs import Graph, graph, zoo
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from facesieve.cluster import local_finish, supersteps, vote_blocks, vote_sums
from facesieve.cluster.checkpoints import Checkpoints
from facesieve.cluster.frames import VERTICES, VOTING_EDGES, Vertices, VotingEdges
from facesieve.cluster.kernels import whispers as kernel
from facesieve.cluster.kernels.coins import coins, totals
from facesieve.core import frames as core_frames
from facesieve.core import sections

ADAPTIVE = "spark.sql.adaptive.enabled"
COINS = 3
MESSAGES = partial(sections.Cluster, finish_locally_below=0, coins=COINS)


@pytest.fixture
def adaptive(spark: SparkSession, request: pytest.FixtureRequest) -> Iterator[None]:
    former = spark.conf.get(ADAPTIVE)
    spark.conf.set(ADAPTIVE, request.param)
    yield
    spark.conf.set(ADAPTIVE, str(former))


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the coin rest after few supersteps, so that a test sees both rules."""
    monkeypatch.setattr(kernel, "COIN_STEPS", 3)
    monkeypatch.setattr(supersteps, "COIN_STEPS", 3)


def frames(spark: SparkSession, sample: Graph, partitions: int, seed: int) -> tuple[Vertices, VotingEdges]:
    rng = np.random.default_rng(seed)
    faces = [(face, face) for face in rng.permutation(sample.ids).tolist()]
    pairs = rng.permutation(np.stack(sample[1:], axis=1)).tolist()
    edges = spark.createDataFrame(pairs, VOTING_EDGES).repartition(partitions)
    return Vertices(spark.createDataFrame(faces, VERTICES).repartition(partitions)), VotingEdges(edges)


@pytest.fixture
def vote(spark: SparkSession, tmp_path: Path) -> Vote:
    return Vote(spark, tmp_path / "checkpoints")


@dataclass
class Vote:
    """Runs a vote, and compares it with the kernel."""

    spark: SparkSession
    folder: Path
    reports: list[tuple[int, int]] = field(default_factory=list)

    def run(self, sample: Graph, settings: sections.Cluster, partitions: int = 2, run: str = "a") -> supersteps.Outcome:
        vertices, edges = frames(self.spark, sample, partitions, seed=partitions)
        checkpoints = Checkpoints(self.spark, str(self.folder), run)
        voting = supersteps.Voting(settings, checkpoints, lambda *now: self.reports.append(now))
        return supersteps.whispers(vertices, edges, voting)

    def compare(self, sample: Graph, settings: sections.Cluster, partitions: int = 2) -> supersteps.Outcome:
        """Compare labels vertex by vertex, and the history."""
        result = self.run(sample, settings, partitions)
        hold(result, sample, settings)
        assert self.reports == list(enumerate(totals(result.histories), start=1))
        return result


def hold(result: supersteps.Outcome, sample: Graph, settings: sections.Cluster) -> None:
    minted = coins(settings.update_fraction, settings.seed, settings.coins)
    truth = [kernel.whispers(*sample, coin, settings.max_supersteps) for coin in minted]
    rows = {row["id"]: row for row in result.labels.collect()}
    assert result.labels.count() == len(sample.ids)
    labels = np.stack([each.labels for each in truth], axis=1)
    assert [rows[face]["labels"] for face in sample.ids.tolist()] == labels.tolist()
    wanting = np.any([each.wanting for each in truth], axis=0)
    assert [rows[face]["settled"] for face in sample.ids.tolist()] == (~wanting).tolist()
    assert result.histories == [each.unsettled for each in truth]


def settled(result: supersteps.Outcome) -> list[bool]:
    return [history[-1] == 0 for history in result.histories]


@pytest.mark.usefixtures("soon", "adaptive")
@pytest.mark.parametrize(("adaptive", "partitions"), [("true", 1), ("false", 2), ("true", 7)], indirect=["adaptive"])
def test_equals_the_kernel_vertex_by_vertex(vote: Vote, partitions: int) -> None:
    result = vote.compare(zoo(seed=1014), MESSAGES(max_supersteps=20), partitions)
    assert all(settled(result))
    assert min(map(len, result.histories)) > kernel.COIN_STEPS + 2
    # Coins end one after the other.
    assert len(set(map(len, result.histories))) > 1
    assert result.labels.where("settled").count() == result.labels.count()


def test_other_coin_and_limit(vote: Vote) -> None:
    settings = MESSAGES(seed=-5, update_fraction=0.4, max_supersteps=3)
    result = vote.compare(zoo(seed=12), settings, 2)
    assert not any(settled(result))
    assert result.labels.where(~F.col("settled")).count() >= max(history[-1] for history in result.histories)


def test_large_moves_are_joined_without_broadcast(vote: Vote, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core_frames, "BROADCAST_ROWS", 0)
    monkeypatch.setattr(vote_blocks, "_MOST_BYTES", 0)
    monkeypatch.setattr(vote_sums, "FILTER_BELOW", 2.0)
    sample = graph(nx.gnm_random_graph(40, 90, seed=2), seed=2, most=2)
    vote.compare(sample, MESSAGES(max_supersteps=4), 2)


def test_no_edges(vote: Vote) -> None:
    none = np.array([], dtype=np.int64)
    assert vote.compare(Graph(np.array([5, -7, 6]), none, none, none), MESSAGES(), 2).histories == [[0]] * COINS


def test_draws_are_the_kernels(spark: SparkSession) -> None:
    ids = np.random.default_rng(4).integers(-(2**63), 2**63 - 1, 20)
    frame = spark.createDataFrame([(face,) for face in ids.tolist()], "id long")
    drawn = {row[0]: row[1] for row in frame.select("id", supersteps.draws(41, -9)).collect()}
    assert [drawn[face] for face in ids.tolist()] == kernel.Coin(0.5, -9).draws(41, ids).tolist()


def test_a_hub_is_no_harder_than_its_degree(vote: Vote) -> None:
    sample = graph(nx.star_graph(20_000), seed=6)
    vote.compare(sample, MESSAGES(max_supersteps=2), 2)


def test_a_local_finish_changes_nothing(vote: Vote) -> None:
    sample = zoo(seed=1014)
    result = vote.compare(sample, sections.Cluster(finish_locally_below=120, max_supersteps=100, coins=COINS))
    assert result.finished_locally > 0
    assert result.finished_locally < max(map(len, result.histories))


def test_a_local_finish_stops_at_the_limit(vote: Vote) -> None:
    settings = sections.Cluster(finish_locally_below=200, max_supersteps=4, coins=COINS)
    assert not any(settled(vote.compare(zoo(seed=12), settings)))


def test_what_is_too_wide_is_not_finished_locally(vote: Vote, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_finish, "HOPS", 2)
    sample = graph(nx.path_graph(60), seed=4)
    assert vote.compare(sample, sections.Cluster(finish_locally_below=58)).finished_locally == 0


@pytest.mark.parametrize("stop", [1, 3])
def test_goes_on_after_the_last_whole_superstep(vote: Vote, stop: int) -> None:
    """The first superstep that is lost leaves the state before any; five supersteps show that the vote goes on."""
    sample, settings = zoo(seed=1014), MESSAGES(max_supersteps=5)
    vote.run(sample, MESSAGES(max_supersteps=stop), run="killed")
    vote.reports.clear()
    # The limit's last superstep moves nobody; the one before it is as in a longer run.
    shutil.rmtree(vote.folder / "killed" / f"{stop:06d}")
    hold(vote.run(sample, settings, run="again"), sample, settings)
    assert vote.reports[0][0] == max(stop, 1)


def test_begins_with_the_labels_given(spark: SparkSession, vote: Vote) -> None:
    sample = zoo(seed=3)
    coin = kernel.Coin(0.75, 0)
    before = kernel.whispers(*sample, coin, 500).labels
    # Two faces change sides; the others stay as they are unless that concerns them.
    before[:2] = sample.ids[:2]
    truth = kernel.finish(sample.ids, sample[1:], kernel.Start(before), coin, 500)
    vertices = spark.createDataFrame(list(zip(sample.ids.tolist(), before.tolist(), strict=True)), VERTICES)
    voting = supersteps.Voting(MESSAGES(), Checkpoints(spark, str(vote.folder), "a"), lambda *_: None)
    result = supersteps.whispers(Vertices(vertices), frames(spark, sample, 2, 1)[1], voting)
    labels = {row["id"]: row["labels"][0] for row in result.labels.collect()}
    assert [labels[face] for face in sample.ids.tolist()] == truth.labels.tolist()
    assert result.histories[0] == truth.unsettled
    assert result.histories[0][0] <= 4

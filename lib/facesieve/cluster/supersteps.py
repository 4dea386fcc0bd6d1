"""Chinese Whispers as message passing over a GraphFrame: what `kernels.whispers` defines, to the bit, on a cluster.

A superstep is one look and, if anybody wants another label, one move. What it costs: GraphFrames passes the messages,
and the new state (one row per face) is kept, which cuts the lineage and is where a killed run goes on. Whoever moved
is known from the state; in the next superstep only their neighbours are sent messages: nobody else can have changed
preference. What is left when few faces are unsettled may be finished in one task (`stages.remaining`).

Edges are held by the face that receives, and labels are sent to every executor while they fit: then no edge moves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame, Observation
from pyspark.sql import functions as F

from facesieve.cluster.kernels.whispers import COIN_BITS, COIN_STEPS, Coin
from facesieve.cluster.local_finish import ended, remaining
from facesieve.cluster.messages import best_labels, least_ranks, told
from facesieve.core import config

FILTER_BELOW = 0.25
"""Share of moved faces under which it pays to look for their neighbours first."""

_STATE = ("id", "label", "preferred", "wanting", "moved")


@dataclass(frozen=True)
class Kept:
    """The state after a superstep (id, label, preferred, wanting, moved), and what was told when it was kept."""

    step: int
    history: list[int]
    state: DataFrame


class Progress(Protocol):
    """Where states are kept (`facesieve.cluster.checkpoints`)."""

    def keep(self, step: int, state: DataFrame, history: list[int]) -> DataFrame:
        """Write the state after a superstep and return it as it is read back."""

    def last(self) -> Kept | None:
        """Return the last state that is whole."""


@dataclass(frozen=True)
class Outcome:
    """What the vote came to.

    labels: id bigint, label bigint, settled boolean (the face prefers its own label at last), one row per vertex.
    mirrored: the voting edges in both directions (src, dst, vote), persisted, for what follows the vote; faces: the
    number of vertices. unsettled: faces that preferred another label than their own when each superstep began; its last
    entry is 0 if settled. finished_locally: the supersteps that one task has done.
    """

    labels: DataFrame
    mirrored: DataFrame
    faces: int
    unsettled: list[int]
    finished_locally: int

    @property
    def settled(self) -> bool:
        """Nobody wants another label."""
        return self.unsettled[-1] == 0


@dataclass
class Voting:
    """A vote: its settings, where its states are kept, and who is told (superstep, faces unsettled when it began)."""

    settings: config.Cluster
    progress: Progress
    report: Callable[[int, int], None]


def whispers(vertices: DataFrame, edges: DataFrame, voting: Voting) -> Outcome:
    """Let faces whisper until nobody prefers another label, or `cluster.max_supersteps` is reached.

    vertices: id bigint (unique), label bigint: the label to begin with, its own id or that of another vertex. edges:
    src, dst, vote, all bigint, each pair once, votes above 0, both ends among the vertices.
    """
    mirrored = _mirrored(edges).persist(StorageLevel.MEMORY_AND_DISK)
    vote = _Vote(mirrored, voting)
    state = vote.run(vertices)
    labels = state.select("id", "label", (~F.col("wanting")).alias("settled"))
    return Outcome(labels, mirrored, vote.faces, vote.unsettled, vote.locally)


def draws(step: int, seed: int) -> Column:
    """Draw for the face in column `id`: the bigint of `kernels.whispers.Coin.draws`."""
    words = [F.lit(seed).cast("bigint"), F.lit(step).cast("bigint"), F.col("id").cast("bigint")]
    return F.shiftrightunsigned(F.xxhash64(*words), 64 - COIN_BITS)


class _Vote:
    """The loop over supersteps."""

    def __init__(self, mirrored: DataFrame, voting: Voting) -> None:
        self._mirrored, self._voting = mirrored, voting
        self.faces = 0
        self._tried = 0
        self.unsettled: list[int] = []
        self.locally = 0

    def run(self, vertices: DataFrame) -> DataFrame:
        """Return the last state: id, label, wanting."""
        last = self._voting.progress.last()
        if last is None or last.step == 0:
            state = self._voting.progress.keep(0, _start(vertices), [])
            moved = self.faces = state.count()
        else:
            state = last.state
            self.faces, wanting, moved = _counted(state)
            self.unsettled = [*last.history, wanting]
        if not self.faces:
            self._note(0)
        while not self._ended():
            ended = self._finished(state)
            if ended is not None:
                return ended
            state, moved = self._superstep(state, moved)
        return state

    def _ended(self) -> bool:
        unsettled = self.unsettled
        return bool(unsettled) and (unsettled[-1] == 0 or len(unsettled) == self._voting.settings.max_supersteps)

    def _superstep(self, state: DataFrame, moved: int) -> tuple[DataFrame, int]:
        step, settings = len(self.unsettled) + 1, self._voting.settings
        heard = best_labels(state, self._near(state, moved), self.faces) if moved else None
        looked = _looked(state, heard, self.faces)
        draw = draws(step, settings.seed)
        rivals = _rivals(looked, self._mirrored, draw) if step > COIN_STEPS else None
        stop = step == settings.max_supersteps
        may = F.lit(False) if stop else _first(draw) if rivals is not None else _heads(draw, settings)
        after = _moved(looked if rivals is None else looked.join(rivals, "id", how="left"), may)
        counts = F.count_if("wanting").alias("wanting"), F.count_if("moved").alias("moved")
        seen = Observation()
        after = self._voting.progress.keep(step, after.observe(seen, *counts), self.unsettled)
        for frame in (heard, rivals):
            if frame is not None:
                frame.unpersist()
        self._note(seen.get["wanting"])
        return after, seen.get["moved"]

    def _note(self, wanting: int) -> None:
        self.unsettled.append(wanting)
        self._voting.report(len(self.unsettled), wanting)

    def _near(self, state: DataFrame, moved: int) -> DataFrame:
        """Return the edges into the neighbours of those that moved, or all, where that is as much work."""
        mirrored, movers = self._mirrored, state.where("moved").select("id")
        if moved > FILTER_BELOW * self.faces:
            return mirrored
        senders = told(movers.withColumnRenamed("id", "src"), moved)
        receivers = mirrored.join(senders, "src", how="left_semi").select("dst").distinct()
        return mirrored.join(told(receivers, self.faces), "dst", how="left_semi")

    def _finished(self, state: DataFrame) -> DataFrame | None:
        """Let what remains end in one task, if it is small enough."""
        most, done = self._voting.settings.finish_locally_below, len(self.unsettled)
        if not (most and done) or (self._tried and self.unsettled[-1] > self._tried // 2):
            return None
        self._tried = self.unsettled[-1]
        left = remaining(state.where("wanting"), self._mirrored, most)
        if left is None:
            return None
        end = ended(state, left, done, self._voting.settings)
        for wanting in end.unsettled:
            self._note(wanting)
        self.locally = len(end.unsettled)
        return _after(state, end.faces)


def _mirrored(edges: DataFrame) -> DataFrame:
    back = edges.select(F.col("dst").alias("src"), F.col("src").alias("dst"), "vote")
    return edges.select("src", "dst", "vote").unionByName(back).repartition("dst")


def _start(vertices: DataFrame) -> DataFrame:
    """Give every face its first label; `moved`, so that all look in the first superstep."""
    flags = F.lit(False).alias("wanting"), F.lit(True).alias("moved")
    return vertices.select("id", "label", F.col("label").alias("preferred"), *flags)


def _looked(state: DataFrame, heard: DataFrame | None, faces: int) -> DataFrame:
    """Say what every face prefers now (id, label, preferred, wanting); those that heard nothing stay as they were."""
    if heard is None:
        return state.select("id", "label", "preferred", "wanting")
    joined = state.join(told(heard, faces), "id", how="left")
    looked = joined.select("id", "label", F.coalesce("best", "preferred").alias("preferred"))
    return looked.withColumn("wanting", F.col("preferred") != F.col("label"))


def _heads(draw: Column, settings: config.Cluster) -> Column:
    return draw < F.lit(Coin(settings.update_fraction, settings.seed).bound)


def _first(draw: Column) -> Column:
    """Whether a wanting face's (draw, id) is the least among itself and its wanting neighbours (`rival`)."""
    return F.col("rival").isNull() | (_rank(draw) < F.col("rival"))


def _rank(draw: Column) -> Column:
    return F.struct(draw.alias("draw"), "id")


def _rivals(looked: DataFrame, mirrored: DataFrame, draw: Column) -> DataFrame:
    return least_ranks(looked.where("wanting").select("id", _rank(draw).alias("rank")), mirrored)


def _moved(looked: DataFrame, may: Column) -> DataFrame:
    """Let the wanting faces move that may: id, label, preferred, wanting (before it), moved."""
    moving = looked.withColumn("moved", F.col("wanting") & may)
    label = F.when(F.col("moved"), F.col("preferred")).otherwise(F.col("label"))
    return moving.withColumn("label", label).select(*_STATE)


def _after(state: DataFrame, ended: DataFrame) -> DataFrame:
    """Return id, label, wanting of all faces, those of `ended` as they are there; nobody else wanted another label."""
    end = ended.select("id", F.col("label").alias("last"), F.col("wanting").alias("still"))
    label, wanting = F.coalesce("last", "label"), F.coalesce("still", F.lit(False))
    return state.join(end, "id", how="left").select("id", label.alias("label"), wanting.alias("wanting"))


def _counted(state: DataFrame) -> tuple[int, int, int]:
    """Count the faces, those that wanted another label, and those that moved."""
    counts = F.count("*").alias("faces"), F.count_if("wanting").alias("wanting"), F.count_if("moved").alias("moved")
    row = state.agg(*counts).collect()[0]
    return row["faces"], row["wanting"], row["moved"]

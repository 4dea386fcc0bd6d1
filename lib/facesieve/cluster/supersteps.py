"""Chinese Whispers as message passing over a GraphFrame: what `kernels.whispers` defines, to the bit, on a cluster.

A superstep is one look and, if anybody wants another label, one move. GraphFrames passes the messages. The new state
(one row per vertex) is written as a checkpoint, which cuts the lineage and is where a killed run goes on. The state
tells who moved. In the next superstep only the neighbours of these are sent messages: nobody else can have changed
preference. When few vertices are unsettled, one task may finish the vote (`cluster.local_finish`).

Edges lie with the vertex that receives, and labels are sent to every executor while they fit: then no edge moves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame, Observation
from pyspark.sql import functions as F

from facesieve.cluster.checkpoints import Checkpoints
from facesieve.cluster.frames import (
    VOTE_STATE,
    BestLabels,
    DirectedEdges,
    FinishedVertices,
    Labels,
    Ranks,
    Rivals,
    Vertices,
    VoteState,
    VotingEdges,
)
from facesieve.cluster.kernels.whispers import COIN_BITS, COIN_STEPS, Coin
from facesieve.cluster.local_finish import finished, unfinished_edges
from facesieve.cluster.messages import best_labels, least_ranks
from facesieve.core import sections
from facesieve.core.frames import broadcast_if_few
from facesieve.faces.edge_frames import both_directions

FILTER_BELOW = 0.25
"""Share of moved vertices under which it pays to look for their neighbours first."""


@dataclass(frozen=True)
class Outcome:
    """What the vote came to.

    directed: the voting edges, persisted, for what follows the vote; count: the number of vertices. unsettled: vertices
    that preferred another label than their own when each superstep began; its last entry is 0 if settled.
    finished_locally: the supersteps that one task has done.
    """

    labels: Labels
    directed: DirectedEdges
    count: int
    unsettled: list[int]
    finished_locally: int

    @property
    def settled(self) -> bool:
        """Nobody wants another label."""
        return self.unsettled[-1] == 0


@dataclass
class Voting:
    """A vote: its settings, its checkpoints, and who gets the report (superstep, vertices unsettled at its begin)."""

    settings: sections.Cluster
    checkpoints: Checkpoints
    report: Callable[[int, int], None]


def whispers(vertices: Vertices, edges: VotingEdges, voting: Voting) -> Outcome:
    """Let vertices whisper until nobody prefers another label, or `cluster.max_supersteps` is reached."""
    directed = DirectedEdges(both_directions(edges, "vote").repartition("dst").persist(StorageLevel.MEMORY_AND_DISK))
    vote = _Vote(directed, voting)
    state = vote.run(vertices)
    labels = Labels(state.select("id", "label", (~F.col("wanting")).alias("settled")))
    return Outcome(labels, directed, vote.count, vote.unsettled, vote.finished_locally)


def draws(step: int, seed: int) -> Column:
    """Draw for the vertex in column `id`: the bigint of `kernels.whispers.Coin.draws`."""
    words = [F.lit(seed).cast("bigint"), F.lit(step).cast("bigint"), F.col("id").cast("bigint")]
    return F.shiftrightunsigned(F.xxhash64(*words), 64 - COIN_BITS)


class _Vote:
    """The loop over supersteps."""

    def __init__(self, directed: DirectedEdges, voting: Voting) -> None:
        self._directed, self._settings, self._checkpoints = directed, voting.settings, voting.checkpoints
        self._report = voting.report
        self._tried = 0
        self.count = 0
        self.unsettled: list[int] = []
        self.finished_locally = 0

    def run(self, vertices: Vertices) -> DataFrame:
        """Return id, label, wanting at the end."""
        state, moved = self._begin(vertices)
        if not self.count:
            self._note(0)
        while not self._ended():
            end = self._finish(state)
            if end is not None:
                return end
            state, moved = self._superstep(state, moved)
        return state

    def _begin(self, vertices: Vertices) -> tuple[VoteState, int]:
        """Return the state to go on from, and how many of its vertices moved last."""
        last = self._checkpoints.last()
        if last is None or last.step == 0:
            state = self._checkpoints.write(0, _first_state(vertices), [])
            self.count = state.count()
            return state, self.count
        self.count, wanting, moved = _counts(last.state)
        self.unsettled = [*last.history, wanting]
        return last.state, moved

    def _ended(self) -> bool:
        unsettled = self.unsettled
        return bool(unsettled) and (unsettled[-1] == 0 or len(unsettled) == self._settings.max_supersteps)

    def _superstep(self, state: VoteState, moved: int) -> tuple[VoteState, int]:
        step, settings = len(self.unsettled) + 1, self._settings
        best = best_labels(state, self._near(state, moved), self.count) if moved else None
        looked = _looked(state, best, self.count)
        draw = draws(step, settings.seed)
        rivals = _rivals(looked, self._directed, draw) if step > COIN_STEPS else None
        stop = step == settings.max_supersteps
        may = F.lit(False) if stop else _first(draw) if rivals is not None else _heads(draw, settings)
        after = _moved(looked if rivals is None else looked.join(rivals, "id", how="left"), may)
        seen = Observation()
        observed = after.observe(seen, F.count_if("wanting").alias("wanting"), F.count_if("moved").alias("moved"))
        written = self._checkpoints.write(step, VoteState(observed), self.unsettled)
        for frame in (best, rivals):
            if frame is not None:
                frame.unpersist()
        self._note(seen.get["wanting"])
        return written, seen.get["moved"]

    def _note(self, wanting: int) -> None:
        self.unsettled.append(wanting)
        self._report(len(self.unsettled), wanting)

    def _near(self, state: VoteState, moved: int) -> DirectedEdges:
        """Return the edges into the neighbours of those that moved, or all, where that is as much work."""
        directed, movers = self._directed, state.where("moved").select(F.col("id").alias("src"))
        if moved > FILTER_BELOW * self.count:
            return directed
        receivers = directed.join(broadcast_if_few(movers, moved), "src", how="left_semi").select("dst").distinct()
        return DirectedEdges(directed.join(broadcast_if_few(receivers, self.count), "dst", how="left_semi"))

    def _finish(self, state: VoteState) -> DataFrame | None:
        """Finish the vote in one task, if what is unfinished is small enough."""
        most, done = self._settings.finish_locally_below, len(self.unsettled)
        if not (most and done) or (self._tried and self.unsettled[-1] > self._tried // 2):
            return None
        self._tried = self.unsettled[-1]
        edges = unfinished_edges(state, self._directed, most)
        if edges is None:
            return None
        end = finished(state, edges, done, self._settings)
        for wanting in end.unsettled:
            self._note(wanting)
        self.finished_locally = len(end.unsettled)
        return _with_end(state, end.vertices)


def _first_state(vertices: Vertices) -> VoteState:
    """Give every vertex its first label; `moved`, so that all look in the first superstep."""
    flags = F.lit(False).alias("wanting"), F.lit(True).alias("moved")
    return VoteState(vertices.select("id", "label", F.col("label").alias("preferred"), *flags))


def _looked(state: VoteState, best: BestLabels | None, count: int) -> DataFrame:
    """Say what every vertex prefers now (id, label, preferred, wanting); without a message it stays as it was."""
    if best is None:
        return state.select("id", "label", "preferred", "wanting")
    joined = state.join(broadcast_if_few(best, count), "id", how="left")
    looked = joined.select("id", "label", F.coalesce("best", "preferred").alias("preferred"))
    return looked.withColumn("wanting", F.col("preferred") != F.col("label"))


def _heads(draw: Column, settings: sections.Cluster) -> Column:
    return draw < F.lit(Coin(settings.update_fraction, settings.seed).bound)


def _first(draw: Column) -> Column:
    """Whether a wanting vertex's (draw, id) is the least among itself and its wanting neighbours (`rival`)."""
    return F.col("rival").isNull() | (_rank(draw) < F.col("rival"))


def _rank(draw: Column) -> Column:
    return F.struct(draw.alias("draw"), "id")


def _rivals(looked: DataFrame, directed: DirectedEdges, draw: Column) -> Rivals:
    return least_ranks(Ranks(looked.where("wanting").select("id", _rank(draw).alias("rank"))), directed)


def _moved(looked: DataFrame, may: Column) -> DataFrame:
    """Let the wanting vertices move that may: id, label, preferred, wanting (before it), moved."""
    moving = looked.withColumn("moved", F.col("wanting") & may)
    label = F.when(F.col("moved"), F.col("preferred")).otherwise(F.col("label"))
    return moving.withColumn("label", label).select(*VOTE_STATE.names)


def _with_end(state: VoteState, end: FinishedVertices) -> DataFrame:
    """Return id, label, wanting of all vertices, those of `end` as they are there; no other wanted another label."""
    last = end.select("id", F.col("label").alias("last"), F.col("wanting").alias("still"))
    label, wanting = F.coalesce("last", "label"), F.coalesce("still", F.lit(False))
    return state.join(last, "id", how="left").select("id", label.alias("label"), wanting.alias("wanting"))


def _counts(state: VoteState) -> tuple[int, int, int]:
    """Count the vertices, those that wanted another label, and those that moved."""
    counts = F.count("*").alias("vertices"), F.count_if("wanting").alias("wanting"), F.count_if("moved").alias("moved")
    row = state.agg(*counts).collect()[0]
    return row["vertices"], row["wanting"], row["moved"]

"""Chinese Whispers as message passing over a GraphFrame: what `kernels.whispers` defines, to the bit, on a cluster.

A superstep is one look and, if anybody wants another label, one move, in every coin at once. A coin that has settled
moves nobody any more, and the vote ends with its last coin. GraphFrames passes the messages. The new state (one row per
vertex, with arrays by coin) is written as a checkpoint, which cuts the lineage and is where a killed run goes on. The
state tells who moved. In the next superstep only the neighbours of these are sent messages: nobody else can have
changed preference. When few vertices are unsettled, one task may finish the vote (`cluster.local_finish`).

Edges lie with the vertex that receives, and labels are sent to every executor while they fit: then no edge moves. What
is heard is summed before it is sent (`cluster.vote_sums`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame, Observation
from pyspark.sql import functions as F

from facesieve.cluster import coin_columns
from facesieve.cluster.checkpoints import Checkpoints
from facesieve.cluster.coin_columns import any_coin, each_coin
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
from facesieve.cluster.kernels.coins import coins, totals
from facesieve.cluster.kernels.whispers import COIN_BITS, COIN_STEPS, Coin
from facesieve.cluster.local_finish import Unfinished, finished, unfinished_edges
from facesieve.cluster.messages import best_labels, least_ranks
from facesieve.cluster.vote_sums import VoteSums
from facesieve.core import sections
from facesieve.faces.edge_frames import both_directions


@dataclass(frozen=True)
class Outcome:
    """What the vote came to.

    directed: the voting edges, persisted, and what is held of them, for what follows the vote. histories: by coin the
    vertices that preferred another label than their own when each superstep began; 0 at last if settled.
    finished_locally: the supersteps that one task has done.
    """

    labels: Labels
    directed: DirectedEdges
    sums: VoteSums
    histories: list[list[int]]
    finished_locally: int


@dataclass
class Voting:
    """A vote: its settings, its checkpoints, and who gets the report (superstep, vertices unsettled at its begin)."""

    settings: sections.Cluster
    checkpoints: Checkpoints
    report: Callable[[int, int], None]

    @property
    def coins(self) -> list[Coin]:
        """Return the coins that vote."""
        return coins(self.settings.update_fraction, self.settings.seed, self.settings.coins)


def whispers(vertices: Vertices, edges: VotingEdges, voting: Voting) -> Outcome:
    """Let vertices whisper until nobody prefers another label in any coin, or `cluster.max_supersteps` is reached."""
    directed = DirectedEdges(both_directions(edges, "vote").repartition("dst").persist(StorageLevel.MEMORY_AND_DISK))
    vote = _Vote(directed, voting)
    state = vote.run(vertices)
    labels = Labels(state.select("id", "labels", (~any_coin("wanting", len(vote.histories))).alias("settled")))
    return Outcome(labels, directed, vote.sums, vote.histories, vote.finished_locally)


def draws(step: int, seed: int) -> Column:
    """Draw for the vertex in column `id`: the bigint of `kernels.whispers.Coin.draws`."""
    words = [F.lit(seed).cast("bigint"), F.lit(step).cast("bigint"), F.col("id").cast("bigint")]
    return F.shiftrightunsigned(F.xxhash64(*words), 64 - COIN_BITS)


class _Vote:
    """The loop over supersteps."""

    def __init__(self, directed: DirectedEdges, voting: Voting) -> None:
        self._directed, self._settings, self._checkpoints = directed, voting.settings, voting.checkpoints
        self._report, self._coins = voting.report, voting.coins
        self._tried = 0
        self.count = 0
        self.histories: list[list[int]] = [[] for _ in self._coins]
        self.finished_locally = 0

    def run(self, vertices: Vertices) -> DataFrame:
        """Return id, labels, wanting at the end."""
        state, moved = self._begin(vertices)
        if not self.count:
            self._note([[0]] * len(self._coins))
        self.sums = VoteSums(self._directed, self.count, len(self._coins))
        while any(self._runs(history) for history in self.histories):
            end = self._finish(state)
            if end is not None:
                return end
            state, moved = self._superstep(state, moved)
        return state

    def _begin(self, vertices: Vertices) -> tuple[VoteState, int]:
        """Return the state to go on from, and how many of its vertices moved last."""
        last = self._checkpoints.last()
        if last is None or last.step == 0:
            state = self._checkpoints.write(0, _first_state(vertices, len(self._coins)), self.histories)
            self.count = state.count()
            return state, self.count
        self.count, wanting, moved = _counts(last.state, len(self._coins))
        self.histories = [
            [*history, number] if self._runs(history) else history
            for history, number in zip(last.histories, wanting, strict=True)
        ]
        return last.state, moved

    def _runs(self, history: Sequence[int]) -> bool:
        """Whether a coin has not ended."""
        return not history or (history[-1] > 0 and len(history) < self._settings.max_supersteps)

    def _superstep(self, state: VoteState, moved: int) -> tuple[VoteState, int]:
        step, number = len(totals(self.histories)) + 1, len(self._coins)
        best = best_labels(state, self.sums.of(state, moved), self.count, number) if moved else None
        looked = _looked(state, best, self.count, number)
        drawn = [draws(step, coin.seed) for coin in self._coins]
        rivals = _rivals(looked, self._directed, drawn) if step > COIN_STEPS else None
        if step == self._settings.max_supersteps:
            may = [F.lit(False)] * number
        elif rivals is not None:
            looked, may = looked.join(rivals, "id", how="left"), [_first(drawn, coin) for coin in range(number)]
        else:
            may = [draw < F.lit(coin.bound) for draw, coin in zip(drawn, self._coins, strict=True)]
        seen = Observation()
        observed = _moved(looked, may).observe(seen, *_numbers(number))
        written = self._checkpoints.write(step, VoteState(observed), self.histories)
        for frame in (best, rivals):
            if frame is not None:
                frame.unpersist()
        self._note([[seen.get[_wanting(coin)]] for coin in range(number)])
        return written, seen.get["moved"]

    def _note(self, counts: Sequence[Sequence[int]]) -> None:
        """Take down the unsettled vertices of supersteps, by coin; a coin that has ended has no more of them."""
        done = len(totals(self.histories))
        for history, more in zip(self.histories, counts, strict=True):
            if self._runs(history):
                history.extend(more)
        for step, wanting in enumerate(totals(self.histories)[done:], start=done + 1):
            self._report(step, wanting)

    def _finish(self, state: VoteState) -> DataFrame | None:
        """Finish the vote in one task, if what is unfinished is small enough."""
        most, unsettled = self._settings.finish_locally_below, totals(self.histories)
        if not (most and unsettled) or (self._tried and unsettled[-1] > self._tried // 2):
            return None
        self._tried = unsettled[-1]
        edges = unfinished_edges(state, self._directed, most)
        if edges is None:
            return None
        going = [coin if self._runs(each) else None for coin, each in zip(self._coins, self.histories, strict=True)]
        end = finished(state, edges, Unfinished(len(unsettled), going, self._settings.max_supersteps))
        self._note(end.histories)
        self.finished_locally = len(totals(end.histories))
        return _with_end(state, end.vertices)


def _first_state(vertices: Vertices, coins: int) -> VoteState:
    """Give every vertex its first label; `moved`, so that all look in the first superstep."""
    label = F.array_repeat("label", coins)
    flags = (F.array_repeat(F.lit(flag), coins).alias(name) for name, flag in (("wanting", False), ("moved", True)))
    return VoteState(vertices.select("id", label.alias("labels"), label.alias("preferred"), *flags))


def _looked(state: VoteState, best: BestLabels | None, count: int, coins: int) -> DataFrame:
    """Say what every vertex prefers now (id, labels, preferred, wanting); without a message it stays as it was."""
    if best is None:
        return state.select("id", "labels", "preferred", "wanting")
    joined = state.join(coin_columns.broadcast_if_few(best, count, coins), "id", how="left")
    looked = joined.select("id", "labels", F.coalesce("best", "preferred").alias("preferred"))
    wanting = each_coin(coins, lambda coin: F.col("preferred")[coin] != F.col("labels")[coin])
    return looked.withColumn("wanting", wanting)


def _first(drawn: Sequence[Column], coin: int) -> Column:
    """Whether a wanting vertex's (draw, id) is the least among itself and its wanting neighbours (`rivals`)."""
    rival = F.col("rivals")[coin]
    return rival.isNull() | (_rank(drawn[coin]) < rival)


def _rank(draw: Column) -> Column:
    return F.struct(draw.alias("draw"), "id")


def _rivals(looked: DataFrame, directed: DirectedEdges, drawn: Sequence[Column]) -> Rivals:
    coins = len(drawn)
    ranks = each_coin(coins, lambda coin: F.when(F.col("wanting")[coin], _rank(drawn[coin])))
    wanting = looked.where(any_coin("wanting", coins)).select("id", ranks.alias("ranks"))
    return least_ranks(Ranks(wanting), directed, coins)


def _moved(looked: DataFrame, may: Sequence[Column]) -> DataFrame:
    """Let the wanting vertices move that may: id, labels, preferred, wanting (before it), moved."""
    coins, own, better = len(may), F.col("labels"), F.col("preferred")
    moving = looked.withColumn("moved", each_coin(coins, lambda coin: F.col("wanting")[coin] & may[coin]))
    labels = each_coin(coins, lambda coin: F.when(F.col("moved")[coin], better[coin]).otherwise(own[coin]))
    return moving.withColumn("labels", labels).select(*VOTE_STATE.names)


def _with_end(state: VoteState, end: FinishedVertices) -> DataFrame:
    """Return id, labels, wanting of all vertices, those of `end` as they are there; no other wanted another label."""
    last = end.select("id", F.col("labels").alias("last"), F.col("wanting").alias("still"))
    labels = F.coalesce("last", "labels").alias("labels")
    wanting = F.coalesce("still", F.transform("wanting", lambda _: F.lit(False))).alias("wanting")
    return state.join(last, "id", how="left").select("id", labels, wanting)


def _wanting(coin: int) -> str:
    return f"wanting_{coin}"


def _numbers(coins: int) -> list[Column]:
    """Count the vertices that wanted another label, by coin, and those that moved in any coin."""
    wanting = [F.count_if(F.col("wanting")[coin]).alias(_wanting(coin)) for coin in range(coins)]
    return [*wanting, F.count_if(any_coin("moved", coins)).alias("moved")]


def _counts(state: VoteState, coins: int) -> tuple[int, list[int], int]:
    """Count the vertices, those that wanted another label, by coin, and those that moved in any coin."""
    row = state.agg(F.count("*").alias("vertices"), *_numbers(coins)).collect()[0]
    return row["vertices"], [row[_wanting(coin)] for coin in range(coins)], row["moved"]

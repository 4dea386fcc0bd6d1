"""Vote by every coin, verify, unite those that the coins hold together: by messages or, if few enough, in one task.

The one task gets edges and labels many to a row, as bytes of int64 (`vote input`). Example with two edges to a row:

    src dst vote        id label       src      dst      votes    ids   labels
      1   2    5         3     1       [1, 1]   [2, 3]   [5, 4]   []    []
      1   3    4                  ->   [2, 8]   [3, 9]   [5, 7]   []    []
      2   3    5                       []       []       []       [3]   [1]
      8   9    7
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from facesieve.cluster.coin_columns import broadcast_if_few, coin_column, each_coin
from facesieve.cluster.components import components
from facesieve.cluster.frames import (
    VOTED_VERTICES,
    DirectedEdges,
    Labels,
    VertexClusters,
    Vertices,
    VotedVertices,
    VotingEdges,
)
from facesieve.cluster.kernels import whispers as kernel
from facesieve.cluster.kernels.coins import together, totals
from facesieve.cluster.local_finish import Ints, history_column, history_row
from facesieve.cluster.supersteps import Outcome, Voting, whispers
from facesieve.core.errors import InvariantError
from facesieve.faces.arrow_groups import tables
from facesieve.faces.blocks import RowBatches, batch_of, rows_of

_INPUT = ("src", "dst", "votes", "ids", "labels")
_INPUT_ROWS = 1 << 17
_VOTED = (
    "id long, labels array<long>, settled boolean, cluster long, histories array<array<long>>, unstable array<long>"
)


@dataclass(frozen=True)
class Course:
    """How a vote went.

    histories: by coin the vertices that preferred another label than their own when each superstep began; 0 at last if
    the coin has settled. finished_locally: the supersteps that one task has done.
    """

    histories: list[list[int]]
    finished_locally: int

    @property
    def unsettled(self) -> list[int]:
        """Unsettled vertices when each superstep began, added up over the coins."""
        return totals(self.histories)

    @property
    def unsettled_coins(self) -> int:
        """Coins at whose end somebody wants another label."""
        return sum(history[-1] > 0 for history in self.histories)

    @property
    def settled(self) -> bool:
        """Nobody wants another label, in no coin."""
        return self.unsettled_coins == 0

    @property
    def supersteps(self) -> int:
        """Supersteps done, the last of which moved nobody."""
        return len(self.unsettled)


@dataclass(frozen=True)
class Voted(Course):
    """What a vote came to: how it went, and all vertices, persisted."""

    rows: VotedVertices


def vote(vertices: Vertices, edges: VotingEdges, voting: Voting) -> Voted:
    """Let the vertices whisper by every coin, verify what has settled, and unite those that the coins hold together.

    The edges are counted first. Raises InvariantError if a coin that has settled is not at a fixed point.
    """
    if edges.count() <= voting.settings.finish_locally_below:
        return _in_one_task(vertices, edges, voting)
    outcome = whispers(vertices, edges, voting)
    histories = outcome.histories
    unstable, clusters = _end(outcome, voting.settings.coins)
    verify(histories, unstable)
    rows = outcome.labels.join(clusters, "id", how="inner").select(*VOTED_VERTICES.names).persist()
    rows.count()
    outcome.sums.close()
    outcome.directed.unpersist()
    return Voted(histories, outcome.finished_locally, VotedVertices(rows))


def _end(outcome: Outcome, coins: int) -> tuple[list[int], VertexClusters]:
    """Count the unstable vertices by coin, and find the clusters: by blocks of receivers, or by joins."""
    labels, directed, count = outcome.labels, outcome.directed, outcome.sums.count
    end = outcome.sums.end(labels)
    return end or (
        unstable_vertices(labels, directed, count, coins),
        components(labels, directed, count, coins),
    )


def unstable_vertices(labels: Labels, directed: DirectedEdges, count: int, coins: int) -> list[int]:
    """Count by coin the vertices for which some label has more votes than their own: 0 is a fixed point.

    Every vertex looks once more, by sums that share no code with the vote itself. count: the number of vertices.
    """
    sender = broadcast_if_few(labels.select(F.col("id").alias("src"), "labels"), count, coins)
    own = labels.select(F.col("id").alias("dst"), F.col("labels").alias("own"))

    def votes(coin: int) -> Column:
        return F.sum(F.col("vote") * (F.col("labels")[coin] == F.col("label")).cast("bigint"))

    each = F.explode(F.array_distinct("labels")).alias("label")
    received = directed.join(sender, "src", how="inner").select("dst", "vote", "labels", each)
    sums = received.groupBy("dst", "label").agg(each_coin(coins, votes).alias("votes"))
    of_vertex = sums.join(broadcast_if_few(own, count, coins), "dst", how="inner").groupBy("dst")
    unstable = of_vertex.agg(each_coin(coins, _prefers_another).alias("unstable"))
    counts = unstable.agg(*(F.count_if(F.col("unstable")[coin]) for coin in range(coins))).collect()[0]
    return list(counts)


def _prefers_another(coin: int) -> Column:
    votes, is_own = F.col("votes")[coin], F.col("label") == F.col("own")[coin]
    return F.coalesce(F.max(F.when(is_own, votes)), F.lit(0)) < F.max(votes)


def verify(histories: list[list[int]], unstable: list[int]) -> None:
    """Check the coins that have settled: nobody may prefer another label, else InvariantError is raised."""
    for coin, (history, number) in enumerate(zip(histories, unstable, strict=True)):
        if history[-1] == 0 and number:
            raise InvariantError(f"coin {coin} is said to have settled, but {number} faces prefer another label")


def _in_one_task(vertices: Vertices, edges: VotingEdges, voting: Voting) -> Voted:
    coins = voting.settings.coins
    rows = _vote_input(vertices, edges).repartition(1).mapInArrow(_vote(voting), _VOTED).persist()
    row = history_row(rows)
    histories = [list(history) for history in row["histories"]] if row else [[0]] * coins
    for step, wanting in enumerate(totals(histories), start=1):
        voting.report(step, wanting)
    if row:
        verify(histories, row["unstable"])
    alone = {"labels": F.array_repeat("label", coins), "settled": F.lit(True), "cluster": F.col("id")}
    voted = (F.coalesce(rows[name], value).alias(name) for name, value in alone.items())
    joined = vertices.join(rows, "id", how="left").select("id", *voted).persist()
    joined.count()
    rows.unpersist()
    return Voted(histories, len(totals(histories)), VotedVertices(joined))


def _vote_input(vertices: Vertices, edges: VotingEdges) -> DataFrame:
    """Return the edges, and the labels that differ from their vertex, as rows of arrays."""
    schema = ", ".join(f"{name} binary" for name in _INPUT)
    labels = vertices.where("id <> label").select(F.col("id").alias("ids"), F.col("label").alias("labels"))
    votes = edges.select("src", "dst", F.col("vote").alias("votes"))
    return votes.mapInArrow(_pack, schema).unionByName(labels.mapInArrow(_pack, schema))


def _pack(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    none = np.empty(0, np.int64)
    for rows in tables(batches, _INPUT_ROWS):
        yield batch_of(**{name: [rows[name].to_numpy() if name in rows.column_names else none] for name in _INPUT})


def _vote(voting: Voting) -> RowBatches:
    coins, limit = voting.coins, voting.settings.max_supersteps

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        rows = list(rows_of(batches))
        src, dst, votes, labelled, begun = (
            np.concatenate([np.empty(0, np.int64), *(np.frombuffer(row[name], np.int64) for row in rows)])
            for name in _INPUT
        )
        if not len(src):
            return
        ids = np.unique(np.append(src, dst))
        starts = [kernel.Start(_labels(ids, labelled, begun))] * len(coins)
        ends = kernel.finish_all(ids, (src, dst, votes), starts, coins, limit)
        labels = np.stack([end.labels for end in ends], axis=1)
        unstable = kernel.unstable_vertices(ids, labels, src, dst, votes)
        columns = {
            "id": ids,
            "labels": coin_column(labels),
            "settled": ~np.any([end.wanting for end in ends], axis=0),
            "cluster": together(ids, labels, src, dst),
            "histories": history_column([end.unsettled for end in ends], len(ids)),
            "unstable": pa.array([unstable, *[None] * (len(ids) - 1)], pa.list_(pa.int64())),
        }
        yield pa.RecordBatch.from_pydict(columns)

    return run


def _labels(ids: Ints, labelled: Ints, begun: Ints) -> Ints:
    """Return the label that each of `ids` begins with: its own id, but for those that are `labelled` otherwise."""
    labels = ids.copy()
    there = np.isin(labelled, ids)
    labels[np.searchsorted(ids, labelled[there])] = begun[there]
    return labels

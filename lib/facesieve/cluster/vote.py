"""Vote, verify, split: groups of vertices that voting edges hold together, by messages or, if few enough, in one task.

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
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.cluster.components import components
from facesieve.cluster.frames import DirectedEdges, Labels, Vertices, VotedVertices, VotingEdges
from facesieve.cluster.kernels import whispers as kernel
from facesieve.cluster.local_finish import Ints, history_column, history_row
from facesieve.cluster.supersteps import Voting, whispers
from facesieve.core.errors import InvariantError
from facesieve.core.frames import broadcast_if_few
from facesieve.faces.arrow_groups import tables
from facesieve.faces.blocks import RowBatches, batch_of, rows_of

_INPUT = ("src", "dst", "votes", "ids", "labels")
_INPUT_ROWS = 1 << 17
_VOTED = "id long, settled boolean, cluster long, unsettled array<long>, unstable long"


@dataclass(frozen=True)
class Voted:
    """What a vote came to.

    rows: all vertices, persisted. unsettled: vertices that preferred another label than their own when each superstep
    began; its last entry is 0 if settled. finished_locally: the supersteps that one task has done.
    """

    rows: VotedVertices
    unsettled: list[int]
    finished_locally: int

    @property
    def settled(self) -> bool:
        """Nobody wants another label."""
        return self.unsettled[-1] == 0

    @property
    def supersteps(self) -> int:
        """Supersteps done, the last of which moved nobody."""
        return len(self.unsettled)


def vote(vertices: Vertices, edges: VotingEdges, voting: Voting) -> Voted:
    """Let the vertices whisper, verify that they have settled, and split labels whose edges do not connect them.

    The edges are counted first. Raises InvariantError if a vote that has settled is not at a fixed point.
    """
    if edges.count() <= voting.settings.finish_locally_below:
        return _in_one_task(vertices, edges, voting)
    outcome = whispers(vertices, edges, voting)
    if outcome.settled:
        _verify(unstable_vertices(outcome.labels, outcome.directed, outcome.count))
    clusters = components(outcome.labels, outcome.directed, outcome.count)
    rows = outcome.labels.join(clusters, "id", how="inner").select("id", "settled", "cluster").persist()
    rows.count()
    outcome.directed.unpersist()
    return Voted(VotedVertices(rows), outcome.unsettled, outcome.finished_locally)


def unstable_vertices(labels: Labels, directed: DirectedEdges, count: int) -> int:
    """Count the vertices for which some label has more votes than their own: 0 is a fixed point.

    Every vertex looks once more, by sums that share no code with the vote itself. count: the number of vertices.
    """
    sender = broadcast_if_few(labels.select(F.col("id").alias("src"), "label"), count)
    receiver = broadcast_if_few(labels.select(F.col("id").alias("dst"), F.col("label").alias("own")), count)
    received = directed.join(sender, "src", how="inner").groupBy("dst", "label").agg(F.sum("vote").alias("votes"))
    for_own = F.max(F.when(F.col("label") == F.col("own"), F.col("votes")))
    sums = received.join(receiver, "dst", how="inner").groupBy("dst")
    compared = sums.agg(F.max("votes").alias("most"), F.coalesce(for_own, F.lit(0)).alias("for_own"))
    return compared.where("for_own < most").count()


def _verify(unstable: int) -> None:
    if unstable:
        raise InvariantError(f"the vote is said to have settled, but {unstable} faces prefer another label")


def _in_one_task(vertices: Vertices, edges: VotingEdges, voting: Voting) -> Voted:
    rows = _vote_input(vertices, edges).repartition(1).mapInArrow(_vote(voting), _VOTED).persist()
    row = history_row(rows)
    unsettled = list(row["unsettled"]) if row else [0]
    for step, wanting in enumerate(unsettled, start=1):
        voting.report(step, wanting)
    if unsettled[-1] == 0:
        _verify(row["unstable"] if row else 0)
    settled, cluster = F.coalesce("settled", F.lit(True)), F.coalesce("cluster", "id")
    joined = vertices.select("id").join(rows, "id", how="left")
    voted = joined.select("id", settled.alias("settled"), cluster.alias("cluster")).persist()
    voted.count()
    rows.unpersist()
    return Voted(VotedVertices(voted), unsettled, len(unsettled))


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
    settings = voting.settings
    coin = kernel.Coin(settings.update_fraction, settings.seed)

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        rows = list(rows_of(batches))
        src, dst, votes, labelled, begun = (
            np.concatenate([np.empty(0, np.int64), *(np.frombuffer(row[name], np.int64) for row in rows)])
            for name in _INPUT
        )
        if not len(src):
            return
        ids = np.unique(np.append(src, dst))
        start = kernel.Start(_labels(ids, labelled, begun))
        end = kernel.finish(ids, (src, dst, votes), start, coin, settings.max_supersteps)
        columns = {
            "id": ids,
            "settled": ~end.wanting,
            "cluster": kernel.split(ids, end.labels, src, dst),
            "unsettled": history_column(end),
            "unstable": np.full(len(ids), kernel.unstable_vertices(ids, end.labels, src, dst, votes)),
        }
        yield pa.RecordBatch.from_pydict(columns)

    return run


def _labels(ids: Ints, labelled: Ints, begun: Ints) -> Ints:
    """Return the label that each of `ids` begins with: its own id, but for those that are `labelled` otherwise."""
    labels = ids.copy()
    there = np.isin(labelled, ids)
    labels[np.searchsorted(ids, labelled[there])] = begun[there]
    return labels

"""The end of a vote in one task, by the kernel, when few vertices are unsettled.

The task gets all voting edges of the connected components that hold a vertex unsettled in some coin. With the
neighbours of the unsettled vertices alone the result would differ. With whole components it is the same to the bit.

Example with one coin: vertices 1 and 2 have label 1, 3 and 7 have label 3, and 4 to 6 have label 4. Vertex 2 alone is
unsettled.

    src dst vote                src dst vote               id label wanting
      1   2    5                  1   2    5                1     3   false
      2   3    9                  2   3    9                2     3   false
      3   7    9   -> edges ->    3   7    9   -> end ->    3     3   false
      4   5    5                                            7     3   false
      5   6    5
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from facesieve.cluster.coin_columns import by_coin, coin_column
from facesieve.cluster.frames import FINISHED_VERTICES, DirectedEdges, FinishedVertices, Labels, VoteState, VotingEdges
from facesieve.cluster.kernels.whispers import Coin, Start, finish_all
from facesieve.faces.blocks import RowBatches

HOPS = 30
"""Hops after which components count as too wide to be worth finishing in one task."""

Ints = npt.NDArray[np.int64]

_FINISHED = "id long, labels array<long>, wanting array<boolean>, histories array<array<long>>"
_EDGE = ("src", "dst", "vote", "src_labels", "dst_labels")


class Unfinished(NamedTuple):
    """Where a vote stands: supersteps done, the coins that go on (None: it has settled), the last superstep."""

    done: int
    coins: list[Coin | None]
    limit: int


class Finished(NamedTuple):
    """The end of a vote: the vertices in the task (persisted), and by coin the unsettled ones of its supersteps."""

    vertices: FinishedVertices
    histories: list[list[int]]


def unfinished_edges(state: VoteState, directed: DirectedEdges, most: int) -> VotingEdges | None:
    """Return the edges of all components that hold a vertex unsettled in some coin; None if they are more than `most`.

    Each hop along the edges is a Spark job.
    """
    reached = fresh = state.where(F.exists("wanting", lambda wants: wants)).select("id").checkpoint()
    count = reached.count()
    for _ in range(HOPS):
        # A component has no fewer edges than vertices but one; twice its vertices is a bound that counts no edge.
        if count > 2 * most:
            return None
        near = directed.join(fresh.withColumnRenamed("id", "src"), "src", how="left_semi")
        fresh = near.select(F.col("dst").alias("id")).distinct().join(reached, "id", how="left_anti").checkpoint()
        grown = fresh.count()
        if grown == 0:
            edges = directed.where("src < dst").join(reached.withColumnRenamed("id", "src"), "src", how="left_semi")
            return VotingEdges(edges) if edges.count() <= most else None
        reached, count = reached.unionByName(fresh), count + grown
    return None


def finished(state: VoteState, edges: VotingEdges, unfinished: Unfinished) -> Finished:
    """Let the vertices at the ends of `edges` whisper on in one task, in every coin that goes on."""
    rows = with_labels(edges, state).select(*_EDGE).repartition(1)
    vertices = rows.mapInArrow(_finisher(unfinished), _FINISHED).persist()
    row = history_row(vertices)
    ended = FinishedVertices(vertices.select(*FINISHED_VERTICES.names))
    return Finished(ended, [list(history) for history in row["histories"]] if row else [[] for _ in unfinished.coins])


def with_labels(edges: VotingEdges, labels: VoteState | Labels) -> DataFrame:
    """Add to edges the labels of their ends by coin: src_labels, dst_labels."""
    source, target = (
        labels.select(F.col("id").alias(end), F.col("labels").alias(f"{end}_labels")) for end in ("src", "dst")
    )
    return edges.join(source, "src", how="inner").join(target, "dst", how="inner")


def history_row(rows: DataFrame) -> Row | None:
    """Return the row that bears the histories (`histories`), if there are rows."""
    bearers = rows.where(F.col("histories").isNotNull()).collect()
    return bearers[0] if bearers else None


def history_column(histories: list[list[int]], vertices: int) -> pa.Array:
    """Give the histories to the first of the vertices, so that they leave the task with their rows."""
    return pa.array([histories, *[None] * (vertices - 1)], pa.list_(pa.list_(pa.int64())))


def _finisher(unfinished: Unfinished) -> RowBatches:
    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        rows = pa.Table.from_batches(list(batches))
        src, dst, votes = (rows[name].to_numpy() for name in _EDGE[:3])
        ids, first = np.unique(np.concatenate([src, dst]), return_index=True)
        labels = np.concatenate([by_coin(rows[name], len(unfinished.coins)) for name in _EDGE[3:]])[first]
        wanting = np.zeros(labels.shape, np.bool_)
        histories: list[list[int]] = [[] for _ in unfinished.coins]
        going = {number: coin for number, coin in enumerate(unfinished.coins) if coin}
        starts = [Start(labels[:, number], unfinished.done) for number in going]
        ends = finish_all(ids, (src, dst, votes), starts, list(going.values()), unfinished.limit)
        for number, end in zip(going, ends, strict=True):
            labels[:, number], wanting[:, number], histories[number] = end.labels, end.wanting, end.unsettled
        columns = {"id": ids, "labels": coin_column(labels), "wanting": coin_column(wanting)}
        yield pa.RecordBatch.from_pydict(columns | {"histories": history_column(histories, len(ids))})

    return run

"""The end of a vote in one task, by the kernel, when few vertices are unsettled.

The task gets all voting edges of the connected components that hold an unsettled vertex. With the neighbours of the
unsettled vertices alone the result would differ. With whole components it is the same to the bit.

Example: vertices 1 and 2 have label 1, 3 and 7 have label 3, and 4 to 6 have label 4. Vertex 2 alone is unsettled.

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

from facesieve.cluster.frames import FINISHED_VERTICES, DirectedEdges, FinishedVertices, Labels, VoteState, VotingEdges
from facesieve.cluster.kernels.whispers import Coin, Start, Whispered, finish
from facesieve.core import sections
from facesieve.faces.blocks import RowBatches

HOPS = 30
"""Hops after which components count as too wide to be worth finishing in one task."""

Ints = npt.NDArray[np.int64]

_FINISHED = "id long, label long, wanting boolean, unsettled array<long>"
_EDGE = ("src", "dst", "vote", "src_label", "dst_label")


class Finished(NamedTuple):
    """The end of a vote: the vertices in the task (persisted), and the unsettled ones of each superstep there."""

    vertices: FinishedVertices
    unsettled: list[int]


def unfinished_edges(state: VoteState, directed: DirectedEdges, most: int) -> VotingEdges | None:
    """Return the edges of all components that hold an unsettled vertex; None if they are more than `most`.

    Each hop along the edges is a Spark job.
    """
    reached = fresh = state.where("wanting").select("id").checkpoint()
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


def finished(state: VoteState, edges: VotingEdges, done: int, settings: sections.Cluster) -> Finished:
    """Let the vertices at the ends of `edges` whisper on in one task, after `done` supersteps."""
    rows = with_labels(edges, state).select(*_EDGE).repartition(1)
    vertices = rows.mapInArrow(_finisher(done, settings), _FINISHED).persist()
    row = history_row(vertices)
    ended = FinishedVertices(vertices.select(*FINISHED_VERTICES.names))
    return Finished(ended, list(row["unsettled"]) if row else [])


def with_labels(edges: VotingEdges, labels: VoteState | Labels) -> DataFrame:
    """Add to edges the labels of their ends: src_label, dst_label."""
    source, target = (
        labels.select(F.col("id").alias(end), F.col("label").alias(f"{end}_label")) for end in ("src", "dst")
    )
    return edges.join(source, "src", how="inner").join(target, "dst", how="inner")


def history_row(rows: DataFrame) -> Row | None:
    """Return the row that bears the history (`unsettled`), if there are rows."""
    bearers = rows.where(F.col("unsettled").isNotNull()).collect()
    return bearers[0] if bearers else None


def history_column(whispered: Whispered) -> pa.Array:
    """Give the history to the first of the vertices, so that it leaves the task with their rows."""
    return pa.array([whispered.unsettled, *[None] * (len(whispered.labels) - 1)], pa.list_(pa.int64()))


def _finisher(done: int, settings: sections.Cluster) -> RowBatches:
    coin, limit = Coin(settings.update_fraction, settings.seed), settings.max_supersteps

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        rows = pa.Table.from_batches(list(batches))
        src, dst, votes, src_labels, dst_labels = (rows[name].to_numpy() for name in _EDGE)
        ids, first = np.unique(np.concatenate([src, dst]), return_index=True)
        labels = np.concatenate([src_labels, dst_labels])[first]
        end = finish(ids, (src, dst, votes), Start(labels, done), coin, limit)
        columns = {"id": ids, "label": end.labels, "wanting": end.wanting, "unsettled": history_column(end)}
        yield pa.RecordBatch.from_pydict(columns)

    return run

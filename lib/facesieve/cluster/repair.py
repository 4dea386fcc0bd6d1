"""Clusters cut where constraints forbid them: each that holds a conflict goes through one task, its edges streamed.

The task holds a number for each vertex of a cluster, and the conflicts. The edges arrive sorted by Spark in the order
in which they join pieces, and are not held.

Example: cluster 1 holds the vertices 1 to 4, and 1 and 4 are of one group, so they may not be together.

    cluster role   first second vote      pieces so far
          1 vertex     1      0    0      {1}
          1 vertex     2      0    0      {1} {2} (and so on)
          1 rival      1      8    0      {1} {2} {3} {4}, of which 1 and 4 are of group 8
          1 edge       1      2    9      {1 2} {3} {4}
          1 edge       3      4    7      {1 2} {3 4}
          1 edge       2      3    4      {1 2} {3 4}: group 8 would be in one piece twice
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from functools import reduce
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from facesieve.cluster.constraints import Constraints, conflicts
from facesieve.cluster.frames import VERTEX_CLUSTERS, VertexClusters, VotingEdges
from facesieve.cluster.kernels.constraints import Pieces
from facesieve.faces.arrow_groups import runs

Ints = npt.NDArray[np.int64]

_VERTEX, _RIVAL, _EDGE = 0, 1, 2
_ROW = ("cluster", "role", "first", "second", "vote")


def repaired(clusters: VertexClusters, edges: VotingEdges, constraints: Constraints) -> VertexClusters:
    """Cut the clusters that hold a conflict, as `kernels.constraints.repaired` does.

    clusters: materialised, since it is read several times. A piece is named by its smallest id. Other clusters stay as
    they are, and so do all, at no cost, where no constraint keeps faces apart. The conflicts are found (a Spark job)
    when this function is called; the cut itself is lazy.
    """
    members = VertexClusters(clusters.select("id", "cluster"))
    if not constraints.keeps_apart:
        return members
    rivals = conflicts(members, constraints).checkpoint()
    if rivals.isEmpty():
        return members
    touched = rivals.select("cluster").distinct()
    affected = members.join(touched, "cluster", how="left_semi").select("id", "cluster").checkpoint()
    none, kind = F.lit(0).cast("long"), F.col("photo").cast("long")
    rows = [
        _rows(affected, _VERTEX, F.col("id"), none, none),
        _rows(rivals, _RIVAL, F.col("id"), F.col("group"), kind),
        _rows(_inner(affected, edges), _EDGE, F.col("src"), F.col("dst"), F.col("vote")),
    ]
    sorting = ("cluster", "role", F.desc("vote"), "first", "second")
    ordered = reduce(DataFrame.unionByName, rows).repartition("cluster").sortWithinPartitions(*sorting)
    cut = ordered.mapInArrow(pieces, VERTEX_CLUSTERS)
    untouched = members.join(touched, "cluster", how="left_anti").select("id", "cluster")
    return VertexClusters(untouched.unionByName(cut))


def pieces(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Cut each cluster of the sorted rows; one may span batches."""
    of_one_role = (_run(rows) for rows in runs(batches, ("cluster", "role")))
    for _, of_one_cluster in itertools.groupby(of_one_role, key=lambda run: run.cluster):
        ids, names = _cut(of_one_cluster)
        yield pa.RecordBatch.from_pydict({"id": ids, "cluster": names})


class _Run(NamedTuple):
    """Rows of one cluster and one role, in order: columns as in `_ROW`."""

    cluster: int
    role: int
    first: Ints
    second: Ints
    vote: Ints


def _run(rows: pa.RecordBatch) -> _Run:
    cluster, role, *columns = (rows.column(name).to_numpy() for name in _ROW)
    return _Run(int(cluster[0]), int(role[0]), *columns)


def _inner(affected: DataFrame, edges: VotingEdges) -> DataFrame:
    """Keep the edges inside one of the affected clusters, with its name."""
    source = affected.select(F.col("id").alias("src"), "cluster")
    target = affected.select(F.col("id").alias("dst"), F.col("cluster").alias("other"))
    ends = edges.join(source, "src", how="inner").join(target, "dst", how="inner")
    return ends.where("cluster = other").select("cluster", "src", "dst", "vote")


def _rows(frame: DataFrame, role: int, *columns: Column) -> DataFrame:
    """Lay out rows of one role as `_ROW`: a vertex; a vertex, its group and whether that is a photograph; an edge."""
    return frame.select(
        "cluster", F.lit(role).alias("role"), *(c.alias(n) for c, n in zip(columns, _ROW[2:], strict=True))
    )


def _cut(of_one_cluster: Iterable[_Run]) -> tuple[Ints, Ints]:
    """Return the vertices of a cluster, ascending, and of each the name of its piece."""
    vertices: list[Ints] = []
    rivals_of: list[Ints] = []
    cut: Pieces | None = None
    for run in of_one_cluster:
        if run.role == _VERTEX:
            vertices.append(run.first)
        elif run.role == _RIVAL:
            rivals_of.append(np.stack([run.first, run.second, run.vote], axis=1))
        else:
            cut = cut or _apart(vertices, rivals_of)
            cut.join(run.first, run.second)
    cut = cut or _apart(vertices, rivals_of)
    return np.concatenate(vertices), cut.names()


def _apart(vertices: list[Ints], rivals_of: list[Ints]) -> Pieces:
    members = np.concatenate(rivals_of)
    groups = np.unique(members[:, 1:], axis=0, return_inverse=True)[1]
    return Pieces(np.concatenate(vertices), members[:, 0], groups.ravel().astype(np.int64))

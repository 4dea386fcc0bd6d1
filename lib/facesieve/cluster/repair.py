"""Clusters cut where constraints forbid them: each that holds a conflict goes through one task, its edges streamed.

What is held of a cluster is a number for each of its vertices, and the conflicts; its edges arrive in the order in
which they join pieces, sorted by Spark, and are not held.
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

from facesieve.cluster.constraints import Constraints, rivals
from facesieve.cluster.kernels.constraints import Pieces

Ints = npt.NDArray[np.int64]

_VERTEX, _RIVAL, _EDGE = 0, 1, 2
_ROW = ("cluster", "role", "one", "other", "vote")


def repaired(clusters: DataFrame, edges: DataFrame, constraints: Constraints) -> DataFrame:
    """Cut the clusters that hold a conflict, as `kernels.constraints.repaired` does: id, cluster, a row per vertex.

    clusters: id (a vertex, unique), cluster (the id of one of its members), materialised: it is read several times.
    edges: src, dst, vote (bigint), the voting edges between vertices, each pair once, src < dst. A piece is named by
    its smallest id; other clusters stay as they are, and so do all, at no cost, where no constraint keeps faces apart.
    The conflicts are found (a Spark job) when this function is called; the cut itself is lazy.
    """
    members = clusters.select("id", "cluster")
    if not constraints.keeps_apart:
        return members
    conflicts = rivals(members, constraints).checkpoint()
    if conflicts.isEmpty():
        return members
    touched = conflicts.select("cluster").distinct()
    affected = members.join(touched, "cluster", how="left_semi").select("id", "cluster").checkpoint()
    none, kind = F.lit(0).cast("long"), F.col("photo").cast("long")
    rows = reduce(
        DataFrame.unionByName,
        [
            _rows(affected, _VERTEX, F.col("id"), none, none),
            _rows(conflicts, _RIVAL, F.col("id"), F.col("group"), kind),
            _rows(_inner(affected, edges), _EDGE, F.col("src"), F.col("dst"), F.col("vote")),
        ],
    )
    ordered = rows.repartition("cluster").sortWithinPartitions("cluster", "role", F.desc("vote"), "one", "other")
    cut = ordered.mapInArrow(pieces, "id long, cluster long")
    return members.join(touched, "cluster", how="left_anti").select("id", "cluster").unionByName(cut)


def pieces(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Cut each cluster of the sorted rows; one may span batches."""
    for _, runs in itertools.groupby(_runs(batches), key=lambda run: run.cluster):
        ids, names = _cut(runs)
        yield pa.RecordBatch.from_pydict({"id": ids, "cluster": names})


class _Run(NamedTuple):
    """Rows of one cluster and one role, in order: columns as in `_ROW`."""

    cluster: int
    role: int
    one: Ints
    other: Ints
    vote: Ints


def _inner(affected: DataFrame, edges: DataFrame) -> DataFrame:
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


def _cut(runs: Iterable[_Run]) -> tuple[Ints, Ints]:
    """Return the vertices of a cluster, ascending, and of each the name of its piece."""
    vertices: list[Ints] = []
    rivals_of: list[Ints] = []
    cut: Pieces | None = None
    for run in runs:
        if run.role == _VERTEX:
            vertices.append(run.one)
        elif run.role == _RIVAL:
            rivals_of.append(np.stack([run.one, run.other, run.vote], axis=1))
        else:
            cut = cut or _apart(vertices, rivals_of)
            cut.join(run.one, run.other)
    cut = cut or _apart(vertices, rivals_of)
    return np.concatenate(vertices), cut.names()


def _apart(vertices: list[Ints], rivals_of: list[Ints]) -> Pieces:
    members = np.concatenate(rivals_of)
    groups = np.unique(members[:, 1:], axis=0, return_inverse=True)[1]
    return Pieces(np.concatenate(vertices), members[:, 0], groups.ravel().astype(np.int64))


def _runs(batches: Iterable[pa.RecordBatch]) -> Iterator[_Run]:
    """Cut each batch where the cluster or the role changes."""
    for batch in batches:
        if batch.num_rows == 0:
            continue
        cluster, role, *columns = (batch.column(name).to_numpy().astype(np.int64) for name in _ROW)
        changes = np.flatnonzero((cluster[1:] != cluster[:-1]) | (role[1:] != role[:-1])) + 1
        for start, end in itertools.pairwise([0, *changes.tolist(), batch.num_rows]):
            yield _Run(int(cluster[start]), int(role[start]), *(column[start:end] for column in columns))

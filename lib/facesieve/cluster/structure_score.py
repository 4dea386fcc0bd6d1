"""Structure score of every edge: is it strong, and do its ends share their neighbours (`kernels.structure`)?

Faces fall into groups by a hash of their id. An edge between the groups p and q is scored in the cell {p, q}. Each
end's neighbourhood is sent to a cell once, however many edges it has there. A task holds the neighbourhoods of two
groups, and no neighbourhood has more than `cluster.max_degree` neighbours. So neither memory nor traffic grows with a
hub. (Cells of pairs of groups: Suri and Vassilvitskii 2011, for triangles.)

Example: faces 1 and 4 are of group 0, faces 2 and 3 of group 1. Neighbourhoods are closed: a face is of its own.

    src dst   group of each   cell      cell    neighbourhoods sent there    edges scored there
      1   4       0   0       {0, 0}    {0, 0}  1: 1 2 3 4   4: 1 4          1-4
      1   2       0   1       {0, 1} -> {0, 1}  1: 1 2 3 4   2: 1 2 3        1-2, 1-3
      1   3       0   1       {0, 1}            3: 1 2 3
      2   3       1   1       {1, 1}    {1, 1}  2: 1 2 3     3: 1 2 3        2-3
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from pyspark.accumulators import Accumulator

from facesieve.cluster.frames import SCORED_EDGES, ScoredEdges
from facesieve.cluster.kernels.neighbourhoods import SCORE_SCALE, Cosines, Hoods, Ints, hoods, united
from facesieve.cluster.kernels.structure import least_vote, scores
from facesieve.core import sections
from facesieve.core.tables import Edges
from facesieve.faces.arrow_groups import tables
from facesieve.faces.blocks import RowBatches, batch_of, rows_of
from facesieve.faces.hashing import id_hash
from facesieve.faces.vectors import slices
from facesieve.link.edges import PAIRS_A_BATCH, partition_keys

_GROUP_ENDS = 1 << 22
"""Ends of edges in a group: a task holds the neighbourhoods of two groups, some 300 MB."""
_SENT_EDGES = 1 << 18
"""Edges that are sent together to the tasks of their ends."""
_GROUP_SEED, _TASK_SEED = 0, 1

_ENDS = "part bigint, owners binary, others binary, cosines binary"
_HOOD = {"faces": np.int64, "sizes": np.int64, "totals": np.int64, "others": np.int64, "gains": np.int32}
_EDGE = ("src", "dst", "cosine")
_PAIR = {"src": np.int64, "dst": np.int64, "cosines": np.float32}
_CELLS = "part bigint, " + ", ".join(f"{name} binary" for name in (*_HOOD, *_PAIR))

ScoreTally = Accumulator[dict[int, tuple[int, int]]]
"""By task: the faces with an edge, and those with more than `cluster.max_degree` neighbours."""


@dataclass(frozen=True)
class _Plan:
    """How the work is laid out: groups of faces; for each cell of two groups a number that Spark sends to its task."""

    groups: int
    keys: Ints
    line: float
    settings: sections.Cluster

    def task(self, faces: Ints) -> Ints:
        """Return the task that finds each face's neighbourhood, int64 [n]."""
        return (id_hash(faces, _TASK_SEED) % np.uint64(len(self.keys))).astype(np.int64)

    def cell(self, owners: Ints, others: Ints) -> Ints:
        """Return the cell in which edges between the faces are scored, int64 [n]: triangular numbers."""
        a, b = ((id_hash(faces, _GROUP_SEED) % np.uint64(self.groups)).astype(np.int64) for faces in (owners, others))
        high = np.maximum(a, b)
        return np.asarray(high * (high + 1) // 2 + np.minimum(a, b))


def structure(edges: Edges, line: float, settings: sections.Cluster, tally: ScoreTally) -> ScoredEdges:
    """Score the edges of one scope, the same to the bit for any partitioning and row order.

    The edges are counted at once, the rest is lazy. line: the impostor line. The score does not read the weakest
    neighbours of a face with more than `settings.max_degree`. `tally` (of `link.edges.Tally`) learns while the result
    is computed.
    """
    plan = _planned(edges, line, settings)
    scored = (
        edges.select(*_EDGE)
        .mapInArrow(_send(plan), _ENDS)
        .repartition(len(plan.keys), "part")
        .mapInArrow(_neighbourhoods(plan, tally), _CELLS)
        .repartition(len(plan.keys), "part")
        .mapInArrow(_score(plan), SCORED_EDGES)
    )
    return ScoredEdges(scored)


def structure_in_one_task(edges: Edges, line: float, settings: sections.Cluster, tally: ScoreTally) -> ScoredEdges:
    """Score the edges of one scope as `structure` does, to the bit, in one task that holds them all; lazy."""
    scored = edges.select(*_EDGE).coalesce(1).mapInArrow(_score_here(line, settings, tally), SCORED_EDGES)
    return ScoredEdges(scored)


def _score_here(line: float, settings: sections.Cluster, tally: ScoreTally) -> RowBatches:
    def score(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        received = [[column.to_numpy() for column in batch.columns] for batch in batches]
        if received:
            src, dst, cosines = (np.concatenate(column) for column in zip(*received, strict=True))
            received.clear()
            owners, others = np.append(src, dst), np.append(dst, src)
            closed = hoods(owners, others, np.append(cosines, cosines), line, settings.max_degree)
            degrees = np.bincount(np.searchsorted(closed.faces, owners))
            tally.add({0: (len(degrees), int(np.count_nonzero(degrees > settings.max_degree)))})
            yield from _scored((src, dst, cosines), closed, line, settings)

    return score


def _planned(edges: Edges, line: float, settings: sections.Cluster) -> _Plan:
    ends = 2 * edges.count()
    busy = math.sqrt(2 * edges.sparkSession.sparkContext.defaultParallelism)
    groups = math.ceil(max(ends / _GROUP_ENDS, busy))
    return _Plan(groups, partition_keys(groups * (groups + 1) // 2), line, settings)


def _send(plan: _Plan) -> RowBatches:
    """Show every edge to the tasks of both its ends."""

    def send(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for edges in tables(batches, _SENT_EDGES):
            src, dst, cosines = (edges[name].to_numpy() for name in _EDGE)
            owners, others = np.append(src, dst), np.append(dst, src)
            parts = list(_by_key(plan.task(owners)))
            columns = {"owners": owners, "others": others, "cosines": np.append(cosines, cosines)}
            sent = {name: [column[rows] for _, rows in parts] for name, column in columns.items()}
            yield batch_of(part=plan.keys[[part for part, _ in parts]], **sent)

    return send


def _by_key(keys: Ints) -> Iterator[tuple[int, Ints]]:
    """Yield each key, ascending, with the numbers of its rows."""
    order = np.argsort(keys, kind="stable")
    values, starts = np.unique(keys[order], return_index=True)
    return zip(values.tolist(), np.split(order, starts[1:]), strict=True)


def _neighbourhoods(plan: _Plan, tally: ScoreTally) -> RowBatches:
    """Find the neighbourhoods of the faces of this task, and send them and the edges to the cells."""

    def find(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        received = list(rows_of(batches))
        if received:
            owners, others = (_column(received, name, np.int64) for name in ("owners", "others"))
            cosines = _column(received, "cosines", np.float32)
            most = plan.settings.max_degree
            closed = hoods(owners, others, cosines, plan.line, most)
            degrees = np.bincount(np.searchsorted(closed.faces, owners))
            tally.add({int(received[0]["part"]): (len(degrees), int(np.count_nonzero(degrees > most)))})
            yield from _shipped(closed, owners, others, cosines, plan)

    return find


def _shipped(closed: Hoods, owners: Ints, others: Ints, cosines: Cosines, plan: _Plan) -> Iterator[pa.RecordBatch]:
    """One row per cell: the neighbourhoods that edges need there, and the edges whose smaller end is of this task."""
    for cell, rows in _by_key(plan.cell(owners, others)):
        there = closed.take(np.unique(np.searchsorted(closed.faces, owners[rows])))
        mine = rows[owners[rows] < others[rows]]
        pairs = {"src": [owners[mine]], "dst": [others[mine]], "cosines": [cosines[mine]]}
        yield batch_of(part=plan.keys[[cell]], **{name: [getattr(there, name)] for name in _HOOD}, **pairs)


def _score(plan: _Plan) -> RowBatches:
    """Score the edges of a cell."""

    def score(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        received = list(rows_of(batches))
        if received:
            closed = united([_hoods_of(row) for row in received])
            src, dst, cosines = (_column(received, name, kind) for name, kind in _PAIR.items())
            received.clear()
            yield from _scored((src, dst, cosines), closed, plan.line, plan.settings)

    return score


def _scored(
    edges: tuple[Ints, Ints, Cosines], closed: Hoods, line: float, settings: sections.Cluster
) -> Iterator[pa.RecordBatch]:
    """Score edges (src, dst, cosines) whose ends both have a neighbourhood."""
    src, dst, _ = edges
    integers, least = scores(*edges, line, closed), least_vote(settings.score_cut)
    for part in slices(len(src), PAIRS_A_BATCH):
        share = (integers[part] / SCORE_SCALE).astype(np.float32)
        yield batch_of(src=src[part], dst=dst[part], score=share, votes=integers[part] >= least)


def _hoods_of(row: dict[str, Any]) -> Hoods:
    columns = {name: np.frombuffer(row[name], kind) for name, kind in _HOOD.items()}
    return Hoods(starts=np.asarray(np.cumsum(columns["sizes"]) - columns["sizes"]), **columns)


def _column(rows: list[dict[str, Any]], name: str, kind: Any) -> Any:
    return np.concatenate([np.frombuffer(row[name], kind) for row in rows])

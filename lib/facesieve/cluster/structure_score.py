"""Structure score of every edge: is it strong, and do its ends share their neighbours (`kernels.structure`)?

Faces fall into groups by a hash of their id, and an edge between groups p and q is scored in the cell {p, q}, to which
each end's neighbourhood is sent once, however many edges it has there. A task holds the neighbourhoods of two groups,
and no neighbourhood has more than `cluster.max_degree` neighbours, so neither memory nor traffic grows with a hub.
(Cells of pairs of groups: Suri and Vassilvitskii 2011, for triangles.)
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from pyspark.accumulators import Accumulator
from pyspark.sql import DataFrame

from facesieve.cluster.kernels.structure import SCORE_SCALE, Cosines, Hoods, Ints, hoods, least_vote, scores, united
from facesieve.core import config
from facesieve.faces.blocks import RowBatches, batch_of, gathered, rows_of
from facesieve.faces.hashing import id_hash
from facesieve.faces.vectors import slices
from facesieve.link.edges import PAIRS_A_BATCH, partition_keys

_GROUP_ENDS = 1 << 22
"""Ends of edges in a group: a task holds the neighbourhoods of two groups, some 300 MB."""
_SENT_EDGES = 1 << 18
"""Edges packed together on their way to where their ends live."""
_GROUP_SEED, _HOME_SEED = 0, 1

_ENDS = "part bigint, owners binary, others binary, cosines binary"
_HOOD = {"faces": np.int64, "sizes": np.int64, "totals": np.int64, "others": np.int64, "gains": np.int32}
_PAIR = {"src": np.int64, "dst": np.int64, "cosines": np.float32}
_CELLS = "part bigint, " + ", ".join(f"{name} binary" for name in (*_HOOD, *_PAIR))
_SCORED = "src bigint, dst bigint, score float, votes boolean"


@dataclass(frozen=True)
class _Plan:
    """How the work is laid out: groups of faces; for each cell of two groups a number that Spark sends to its task."""

    groups: int
    keys: Ints
    line: float
    settings: config.Cluster

    def home(self, faces: Ints) -> Ints:
        """Return the task that finds each face's neighbourhood, int64 [n]."""
        return (id_hash(faces, _HOME_SEED) % np.uint64(len(self.keys))).astype(np.int64)

    def cell(self, one: Ints, other: Ints) -> Ints:
        """Return the cell in which edges between the faces are scored, int64 [n]: triangular numbers."""
        a, b = ((id_hash(faces, _GROUP_SEED) % np.uint64(self.groups)).astype(np.int64) for faces in (one, other))
        high = np.maximum(a, b)
        return np.asarray(high * (high + 1) // 2 + np.minimum(a, b))


def structure(
    edges: DataFrame, line: float, settings: config.Cluster, tally: Accumulator[dict[int, tuple[int, int]]]
) -> DataFrame:
    """Score the edges of one scope: src bigint, dst bigint, score float (an integer / 2^20, exactly), votes boolean.

    edges: src bigint, dst bigint, cosine float, each pair once; they are counted at once, the rest is lazy. line: the
    impostor line. `tally` (of `stages.edges.Tally`) learns, while the result is computed, by task the number of faces
    with an edge and of those with more than `settings.max_degree` neighbours, whose weakest the score does not read.
    The same to the bit for any partitioning and row order.
    """
    plan = _planned(edges, line, settings)
    return (
        edges.select("src", "dst", "cosine")
        .mapInArrow(_send(plan), _ENDS)
        .repartition(len(plan.keys), "part")
        .mapInArrow(_meet(plan, tally), _CELLS)
        .repartition(len(plan.keys), "part")
        .mapInArrow(_score(plan), _SCORED)
    )


def _planned(edges: DataFrame, line: float, settings: config.Cluster) -> _Plan:
    ends = 2 * edges.count()
    busy = math.sqrt(2 * edges.sparkSession.sparkContext.defaultParallelism)
    groups = math.ceil(max(ends / _GROUP_ENDS, busy))
    return _Plan(groups, partition_keys(groups * (groups + 1) // 2), line, settings)


def _send(plan: _Plan) -> RowBatches:
    """Show every edge to the homes of both its ends."""

    def send(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for held in gathered(batches, len, _SENT_EDGES):
            table = pa.Table.from_batches(held)
            src, dst, cosines = (table.column(name).to_numpy() for name in ("src", "dst", "cosine"))
            if len(src):
                owners, others = np.append(src, dst), np.append(dst, src)
                columns = {"owners": owners, "others": others, "cosines": np.append(cosines, cosines)}
                yield _by_part(plan.home(owners), columns, plan)

    return send


def _by_part(parts: Ints, columns: dict[str, Any], plan: _Plan) -> pa.RecordBatch:
    order = np.argsort(parts, kind="stable")
    found, starts = np.unique(parts[order], return_index=True)
    split = {name: np.split(column[order], starts[1:]) for name, column in columns.items()}
    return batch_of(part=plan.keys[found], **split)


def _meet(plan: _Plan, tally: Accumulator[dict[int, tuple[int, int]]]) -> RowBatches:
    """Find the neighbourhoods of the faces at home here, and send them and the edges to the cells."""

    def meet(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        received = list(rows_of(batches))
        if received:
            owners, others = (_column(received, name, np.int64) for name in ("owners", "others"))
            cosines = _column(received, "cosines", np.float32)
            most = plan.settings.max_degree
            known = hoods(owners, others, cosines, plan.line, most)
            degrees = np.bincount(np.searchsorted(known.faces, owners))
            tally.add({int(received[0]["part"]): (len(degrees), int(np.count_nonzero(degrees > most)))})
            yield from _shipped(known, owners, others, cosines, plan)

    return meet


def _shipped(known: Hoods, owners: Ints, others: Ints, cosines: Cosines, plan: _Plan) -> Iterator[pa.RecordBatch]:
    """One row per cell: the neighbourhoods that edges need there, and the edges whose smaller end lives here."""
    cells = plan.cell(owners, others)
    order = np.argsort(cells, kind="stable")
    found, starts = np.unique(cells[order], return_index=True)
    for cell, rows in zip(found.tolist(), np.split(order, starts[1:]), strict=True):
        there = known.take(np.unique(np.searchsorted(known.faces, owners[rows])))
        mine = rows[owners[rows] < others[rows]]
        pairs = {"src": [owners[mine]], "dst": [others[mine]], "cosines": [cosines[mine]]}
        yield batch_of(part=plan.keys[[cell]], **{name: [getattr(there, name)] for name in _HOOD}, **pairs)


def _score(plan: _Plan) -> RowBatches:
    """Score the edges of a cell."""

    def score(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        received = list(rows_of(batches))
        if received:
            known = united([_unpacked(row) for row in received])
            src, dst, cosines = (_column(received, name, kind) for name, kind in _PAIR.items())
            received.clear()
            found = scores(src, dst, cosines, plan.line, known)
            least = least_vote(plan.settings.score_cut)
            for part in slices(len(src), PAIRS_A_BATCH):
                share = (found[part] / SCORE_SCALE).astype(np.float32)
                yield batch_of(src=src[part], dst=dst[part], score=share, votes=found[part] >= least)

    return score


def _unpacked(row: dict[str, Any]) -> Hoods:
    columns = {name: np.frombuffer(row[name], kind) for name, kind in _HOOD.items()}
    return Hoods(starts=np.asarray(np.cumsum(columns["sizes"]) - columns["sizes"]), **columns)


def _column(rows: list[dict[str, Any]], name: str, kind: Any) -> Any:
    return np.concatenate([np.frombuffer(row[name], kind) for row in rows])

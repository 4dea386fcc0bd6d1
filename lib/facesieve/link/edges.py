"""Edges: the pairs of faces whose cosine reaches the link threshold.

Scope `identity` compares the faces inside an identity, all with all. Scope `global` compares across the whole
collection, by Voronoi LSH or, as its oracle, all with all. All take the same way. A face's cells are found (`routing`).
The face's vector goes once to each partition in which a cell of the face is compared. There a cell's residents are
compared with each other and with the cell's visitors.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from pyspark.accumulators import Accumulator, AccumulatorParam
from pyspark.sql import functions as F

from facesieve.core.tables import EDGES, Edges, conform
from facesieve.faces.blocks import NO_IDENTITY, Faces, RowBatches, batch_of, block_groups, rows_of
from facesieve.faces.hashing import partition_of
from facesieve.faces.vectors import Hits, Indices
from facesieve.link.kernels.block_pairs import BlockComparison, EdgeRule
from facesieve.link.kernels.cells import CellAssignment, Layout, Members, assign_cells, candidate_count, sub_cells
from facesieve.link.kernels.voronoi import Probes
from facesieve.link.routing import RoutedBlocks, Routing, cells_of, members_in

PAIRS = "src bigint, dst bigint, cosine float, same_identity boolean"
"""Rows of `pairs_of`: edges before they have a scope."""

PAIRS_A_BATCH = 65_536

_SENT = "part bigint, faces int, ids binary, codes binary, probes binary, earlier binary, vectors binary"
_SENT_FACES = 16_384
_TRIED_KEYS = 40


@dataclass(frozen=True)
class Plan:
    """How the edges of a scope are found, the same on all workers.

    keys: for each partition of the layout a number that Spark's hash sends there. earlier: the routing of a first
    pass, whose candidates are left out.
    """

    scope: str
    rule: EdgeRule
    layout: Layout
    keys: Indices
    earlier: Routing | None = None


class Tally(AccumulatorParam[dict[int, tuple[int, int]]]):
    """Sub-cells and candidate pairs by partition: a task that runs twice counts once."""

    def zero(self, value: dict[int, tuple[int, int]]) -> dict[int, tuple[int, int]]:
        """Return the empty tally."""
        return {}

    def addInPlace(  # noqa: N802 (Spark's name)
        self, value1: dict[int, tuple[int, int]], value2: dict[int, tuple[int, int]]
    ) -> dict[int, tuple[int, int]]:
        """Lay a tally over another."""
        value1.update(value2)
        return value1


def edges(routed: RoutedBlocks, plan: Plan, tally: Accumulator[dict[int, tuple[int, int]]]) -> Edges:
    """Find the edges of `plan.scope` among routed faces, lazily: each pair once, src < dst, cosine at least the link.

    The same to the bit for any partitioning and row order. Faces without an identity have no edge in scope `identity`.
    With `rule.most`, edges may be missing that neither end has among its `most` strongest.
    """
    pairs = (
        routed.select("ids", "codes", "probes", "vectors")
        .mapInArrow(_send(plan), _SENT)
        .repartition(plan.layout.parts, "part")
        .mapInArrow(_compare(plan, tally), PAIRS)
        .withColumn("scope", F.lit(plan.scope))
    )
    return Edges(conform(pairs, EDGES))


def partition_keys(parts: int) -> Indices:
    """Return, for each of `parts` partitions, the least number that `repartition(parts, column)` sends there."""
    return np.unique(partition_of(np.arange(parts * _TRIED_KEYS), parts), return_index=True)[1]


def pairs_of(members: Members, hits: list[Hits]) -> pa.RecordBatch:
    """Return rows of PAIRS for hits between rows of the members."""
    i, j, cosine = (np.concatenate(part) for part in zip(*hits, strict=True))
    a, b = members.ids[i], members.ids[j]
    same = (members.codes[i] == members.codes[j]) & (members.codes[i] != NO_IDENTITY)
    return batch_of(src=np.minimum(a, b), dst=np.maximum(a, b), cosine=cosine, same_identity=same)


def _send(plan: Plan) -> RowBatches:
    def send(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for rows in block_groups(batches, _SENT_FACES):
            members = members_in(rows, plan.scope)
            if len(members.ids):
                yield _shipped(members, plan)

    return send


def _shipped(members: Members, plan: Plan) -> pa.RecordBatch:
    """One row per partition, with each face that is compared there."""
    assigned = assign_cells(members.ids, members.probes, plan.layout.cut)
    copies = np.unique(plan.layout.part(assigned.cell, assigned.piece) * len(members.ids) + assigned.face)
    parts, faces = np.divmod(copies, len(members.ids))
    occurring, starts = np.unique(parts, return_index=True)
    by_part = np.split(faces, starts[1:])
    earlier = np.zeros((len(members.ids), 0), np.int32)
    if plan.earlier is not None:
        earlier = cells_of(Faces(members.ids, members.codes, members.vectors), plan.earlier)
    columns = (members.ids, members.codes, members.probes, earlier, members.vectors)
    ids, codes, probes, before, vectors = ([column[rows] for rows in by_part] for column in columns)
    sizes = np.array([len(rows) for rows in by_part], np.int32)
    return batch_of(
        part=plan.keys[occurring], faces=sizes, ids=ids, codes=codes, probes=probes, earlier=before, vectors=vectors
    )


def _compare(plan: Plan, tally: Accumulator[dict[int, tuple[int, int]]]) -> RowBatches:
    def compare(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        by_part: dict[int, list[dict[str, Any]]] = {}
        for row in rows_of(batches):
            by_part.setdefault(row["part"], []).append(row)
        for key in sorted(by_part):
            rows = by_part.pop(key)
            part = int(np.flatnonzero(plan.keys == key)[0])
            comparison = BlockComparison(members_in(rows, plan.scope), plan.rule, _earlier(rows, plan))
            yield from _compared(comparison, part, plan, tally)

    return compare


def _earlier(rows: list[dict[str, Any]], plan: Plan) -> Probes | None:
    if plan.earlier is None:
        return None
    return np.concatenate([np.frombuffer(row["earlier"], np.int32).reshape(row["faces"], -1) for row in rows])


def _compared(
    comparison: BlockComparison, part: int, plan: Plan, tally: Accumulator[dict[int, tuple[int, int]]]
) -> Iterator[pa.RecordBatch]:
    members, hits, cells, candidates = comparison.members, list[Hits](), 0, 0
    assigned = assign_cells(members.ids, members.probes, plan.layout.cut)
    for residents, visitors in sub_cells(_here(assigned, plan.layout, part), members.ids):
        cells += 1
        candidates += candidate_count(members.probes, residents, visitors)
        hits.extend(comparison.cell(residents, visitors))
        if sum(len(i) for i, _, _ in hits) >= PAIRS_A_BATCH:
            yield pairs_of(members, hits)
            hits.clear()
    if hits:
        yield pairs_of(members, hits)
    tally.add({part: (cells, candidates)})


def _here(assigned: CellAssignment, layout: Layout, part: int) -> CellAssignment:
    """Return the rows of sub-cells that are compared in this partition."""
    return assigned.take(layout.part(assigned.cell, assigned.piece) == part)

"""Edges: the pairs of faces whose cosine reaches the link threshold.

Scope `identity` compares the faces inside one identity, all with all. Scope `heap` compares across the whole heap, by
Voronoi LSH or, as its oracle, all with all. All take the same way: a face's cells are found (`routed`), its vector goes
once to each partition in which one of them is compared, and there a cell's residents meet each other and its visitors.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.accumulators import Accumulator, AccumulatorParam
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.core.tables import EDGES, Edges, conform
from facesieve.faces.blocks import NO_IDENTITY, Faces, RowBatches, batch_of, faces_in, gathered, rows_of
from facesieve.faces.hashing import partition_of
from facesieve.faces.vectors import Hits, Indices
from facesieve.link.kernels.block_pairs import Asked, Meeting
from facesieve.link.kernels.cells import Layout, Members, Stays, candidate_count, groups, stays
from facesieve.link.kernels.voronoi import Pivots, route

ROUTED = "faces int, ids binary, codes binary, probes binary, vectors binary"
_SENT = "part bigint, faces int, ids binary, codes binary, probes binary, earlier binary, vectors binary"
PAIRS = "src bigint, dst bigint, cosine float, same_identity boolean"

_SENT_FACES = 16_384
PAIRS_A_BATCH = 65_536
_TRIED_KEYS = 40


@dataclass(frozen=True)
class Routing:
    """How far faces probe: pivots float32 [m, D] (None: one cell holds all), probes at most, margin in cosine."""

    pivots: Pivots | None
    probes: int
    margin: float


@dataclass(frozen=True)
class Plan:
    """How the edges of one scope are found, the same on all workers.

    keys: for each partition of the layout a number that Spark's hash sends there. earlier: the routing of a first
    pass, whose candidates are left out.
    """

    scope: str
    asked: Asked
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
        """Lay one tally over another."""
        value1.update(value2)
        return value1


def routed(packed: DataFrame, routing: Routing) -> DataFrame:
    """Find the cells of packed faces: rows with ids, codes, probes int32 [n, r] (home first) and vectors as bytes."""
    return packed.select("ids", "codes", "vectors").mapInArrow(_route(routing), ROUTED)


def edges(routed: DataFrame, plan: Plan, tally: Accumulator[dict[int, tuple[int, int]]]) -> Edges:
    """Find the edges of `plan.scope` among routed faces, lazily: each pair once, src < dst, cosine at least the link.

    The same to the bit for any partitioning and row order. Faces without an identity have no edge in scope `identity`.
    With `asked.most`, edges may be missing that neither end has among its `most` strongest.
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


def _route(routing: Routing) -> RowBatches:
    def find(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for block in faces_in(rows_of(batches)):
            probes = cells_of(block, routing)
            home = np.argsort(probes[:, 0], kind="stable")
            columns = (block.ids, block.codes, probes, block.vectors)
            ids, codes, lists, vectors = ([column[home]] for column in columns)
            yield batch_of(faces=np.array([len(home)], np.int32), ids=ids, codes=codes, probes=lists, vectors=vectors)

    return find


def cells_of(faces: Faces, routing: Routing) -> npt.NDArray[np.int32]:
    """Return the probe lists of a block of faces, int32 [n, r]."""
    if routing.pivots is None:
        return np.zeros((len(faces.ids), 1), np.int32)
    return route(faces.vectors, routing.pivots, routing.probes, routing.margin)


def members_in(rows: Iterable[dict[str, Any]], scope: str) -> Members:
    """Unpack routed rows as members of the cells of a scope; inside identities the code of the identity is the cell."""
    held = [(block, row) for row in rows for block in faces_in([row])]
    if not held:
        return _no_members()
    ids, codes, vectors = (
        np.concatenate([getattr(block, name) for block, _ in held]) for name in ("ids", "codes", "vectors")
    )
    if scope == "identity":
        named = np.flatnonzero(codes != NO_IDENTITY)
        return Members(ids, codes, codes[:, None], vectors).take(named)
    probes = np.concatenate([np.frombuffer(row["probes"], np.int32) for _, row in held])
    return Members(ids, codes, probes.reshape(len(ids), -1), vectors)


def _no_members() -> Members:
    none = np.zeros(0, np.int64)
    return Members(none, none, np.zeros((0, 1), np.int64), np.zeros((0, 0), np.float16))


def _send(plan: Plan) -> RowBatches:
    def send(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for held in gathered(rows_of(batches), lambda row: row["ids"].size // 8, _SENT_FACES):
            members = members_in(held, plan.scope)
            if len(members.ids):
                yield _shipped(members, plan)

    return send


def _shipped(members: Members, plan: Plan) -> pa.RecordBatch:
    """One row per partition, with each face that is compared there."""
    stay = stays(members.ids, members.probes, plan.layout.cut)
    copies = np.unique(plan.layout.part(stay.cell, stay.piece) * len(members.ids) + stay.face)
    parts, faces = np.divmod(copies, len(members.ids))
    found, starts = np.unique(parts, return_index=True)
    groups_of_faces = np.split(faces, starts[1:])
    earlier = np.zeros((len(members.ids), 0), np.int32)
    if plan.earlier is not None:
        earlier = cells_of(Faces(members.ids, members.codes, members.vectors), plan.earlier)
    columns = (members.ids, members.codes, members.probes, earlier, members.vectors)
    ids, codes, probes, before, vectors = ([column[rows] for rows in groups_of_faces] for column in columns)
    sizes = np.array([len(rows) for rows in groups_of_faces], np.int32)
    return batch_of(
        part=plan.keys[found], faces=sizes, ids=ids, codes=codes, probes=probes, earlier=before, vectors=vectors
    )


def _compare(plan: Plan, tally: Accumulator[dict[int, tuple[int, int]]]) -> RowBatches:
    def compare(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        by_part: dict[int, list[dict[str, Any]]] = {}
        for row in rows_of(batches):
            by_part.setdefault(row["part"], []).append(row)
        for key in sorted(by_part):
            rows = by_part.pop(key)
            part = int(np.flatnonzero(plan.keys == key)[0])
            members, before = members_in(rows, plan.scope), _earlier(rows, plan)
            yield from _compared(members, before, part, plan, tally)

    return compare


def _earlier(rows: list[dict[str, Any]], plan: Plan) -> npt.NDArray[np.int32] | None:
    if plan.earlier is None:
        return None
    lists = [np.frombuffer(row["earlier"], np.int32).reshape(row["faces"], -1) for row in rows]
    return np.concatenate(lists)


def _compared(
    members: Members,
    before: npt.NDArray[np.int32] | None,
    part: int,
    plan: Plan,
    tally: Accumulator[dict[int, tuple[int, int]]],
) -> Iterator[pa.RecordBatch]:
    stay = stays(members.ids, members.probes, plan.layout.cut)
    meeting, met, cells, candidates = Meeting(members, plan.asked, before), list[Hits](), 0, 0
    for residents, visitors in groups(here(stay, plan.layout, part), members.ids):
        cells += 1
        candidates += candidate_count(members.probes, residents, visitors)
        met.extend(meeting.cell(residents, visitors))
        if sum(len(i) for i, _, _ in met) >= PAIRS_A_BATCH:
            yield pairs_of(members, met)
            met.clear()
    if met:
        yield pairs_of(members, met)
    tally.add({part: (cells, candidates)})


def here(stay: Stays, layout: Layout, part: int) -> Stays:
    """Return the stays in sub-cells that are compared in this partition."""
    return stay.take(layout.part(stay.cell, stay.piece) == part)


def pairs_of(members: Members, met: list[Hits]) -> pa.RecordBatch:
    """Return rows of PAIRS for hits between rows of the members."""
    i, j, cosine = (np.concatenate(part) for part in zip(*met, strict=True))
    a, b = members.ids[i], members.ids[j]
    same = (members.codes[i] == members.codes[j]) & (members.codes[i] != NO_IDENTITY)
    return batch_of(src=np.minimum(a, b), dst=np.maximum(a, b), cosine=cosine, same_identity=same)

"""What has changed since the edges were last found, and the pairs that it brings: no vector is shuffled for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from pyspark.sql import functions as F

from facesieve.core.errors import ContractError
from facesieve.core.tables import EDGES, Edges, conform
from facesieve.faces.blocks import (
    ListedFaces,
    RowBatches,
    batch_of,
    block_groups,
    code,
    gathered,
    ids_and_codes,
    rows_of,
)
from facesieve.faces.vectors import Hits, Indices
from facesieve.link.edges import PAIRS, PAIRS_A_BATCH, pairs_of
from facesieve.link.kernels.block_pairs import BlockComparison, BlockPair, EdgeRule
from facesieve.link.kernels.cells import Cut, Flags, Members, assign_cells, sub_cells
from facesieve.link.routing import ROUTED_BLOCKS, RoutedBlocks, members_in

_BLOCK_FACES = 131_072
"""Faces that are compared with the newcomers at a time: the larger, the more of a cell is compared at once."""

_COLUMNS = ROUTED_BLOCKS.names
_UNCUT = Cut(np.zeros(0, np.int64), np.zeros(0, np.int64))


@dataclass(frozen=True)
class Delta:
    """Faces that came since an epoch's faces were stored, with the codes of their identities, and faces that went.

    All int64, ids ascending.
    """

    fresh: Indices
    codes: Indices
    gone: Indices


def delta(faces: ListedFaces, stored: RoutedBlocks, most: int) -> Delta | None:
    """Compare the faces there are with those of an epoch; None if more than `most` differ.

    A face whose identity has changed both went and came. Raises ContractError if a face_id comes more than once.
    """
    here = faces.groupBy("face_id").agg(F.min(code()).alias("here"), F.count("*").alias("times"))
    there = ids_and_codes(stored).withColumnRenamed("code", "there")
    both = here.join(there, "face_id", "full_outer")
    changed = both.where(~F.col("here").eqNullSafe(F.col("there")) | (F.col("times") > 1))
    flags = (F.col("here").isNotNull().alias("fresh"), F.col("there").isNotNull().alias("gone"))
    rows = changed.select("face_id", "here", "times", *flags).limit(most + 1).collect()
    if len(rows) > most:
        return None
    double = sum(row.times is not None and row.times > 1 for row in rows)
    if double:
        raise ContractError(f"embeddings.face_id: {double} ids come more than once")
    fresh = sorted((row.face_id, row.here) for row in rows if row.fresh)
    ids, codes = (np.array([each[part] for each in fresh], np.int64) for part in (0, 1))
    return Delta(ids, codes, np.array(sorted(row.face_id for row in rows if row.gone), np.int64))


def without(stored: RoutedBlocks, gone: Indices) -> RoutedBlocks:
    """Return the blocks less the faces `gone` (ids, ascending)."""
    if not len(gone):
        return RoutedBlocks(stored.select(*_COLUMNS))
    return _picked(stored, lambda ids: ~np.isin(ids, gone))


def only(stored: RoutedBlocks, wanted: Indices) -> RoutedBlocks:
    """Return of the blocks the faces `wanted` (ids, ascending)."""
    if not len(wanted):
        return RoutedBlocks(stored.select(*_COLUMNS).limit(0))
    return _picked(stored, lambda ids: np.isin(ids, wanted))


def edges_with(rows: RoutedBlocks, newcomers: list[dict[str, Any]], scope: str, rule: EdgeRule) -> Edges:
    """Find the edges of `scope` between newcomers and all faces, lazily: each pair once, also of two newcomers.

    rows: routed faces, the newcomers among them. newcomers: routed rows (as collected), sent to every task.
    """
    pairs = rows.select("ids", "codes", "probes", "vectors").mapInArrow(_compare(newcomers, scope, rule), PAIRS)
    return Edges(conform(pairs.withColumn("scope", F.lit(scope)), EDGES))


def _picked(stored: RoutedBlocks, wanted: Callable[[Indices], Flags]) -> RoutedBlocks:
    def pick(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for row in rows_of(batches):
            flags = wanted(np.frombuffer(row["ids"], np.int64))
            size = len(flags)
            columns = {name: [np.frombuffer(row[name], np.uint8).reshape(size, -1)[flags]] for name in _COLUMNS[1:]}
            if flags.any():
                yield batch_of(faces=np.array([flags.sum()], np.int32), **columns)

    return RoutedBlocks(stored.select(*_COLUMNS).mapInArrow(pick, ROUTED_BLOCKS))


def _compare(newcomers: list[dict[str, Any]], scope: str, rule: EdgeRule) -> RowBatches:
    def compare(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        new = members_in(newcomers, scope)
        for rows in block_groups(batches, _BLOCK_FACES):
            old = members_in(rows, scope)
            if len(new.ids) and len(old.ids):
                yield from _crossed(old, new, rule)

    return compare


def _crossed(old: Members, new: Members, rule: EdgeRule) -> Iterator[pa.RecordBatch]:
    """Edges between a block of faces and the newcomers; of two newcomers, where the lower id is in the block."""
    both = Members(*(np.concatenate(pair) for pair in zip(_columns(old), _columns(new), strict=True)))
    hits = _hits(both, np.isin(old.ids, new.ids), rule)
    for batch in gathered(hits, lambda part: len(part[0]), PAIRS_A_BATCH):
        yield pairs_of(both, batch)


def _hits(both: Members, is_new: Flags, rule: EdgeRule) -> Iterator[Hits]:
    """Hits between the first members, of which `is_new` flags the newcomers, and the newcomers behind them."""
    border, comparison = len(is_new), BlockComparison(both, rule)
    assigned = assign_cells(both.ids, both.probes, _UNCUT)
    shared = np.unique(assigned.cell[assigned.face >= border])
    for residents, visitors in sub_cells(assigned.take(np.isin(assigned.cell, shared)), both.ids):
        for i, j, cosine in comparison.edges(_block_pairs(residents, visitors, border)):
            a, b = np.minimum(i, j), np.maximum(i, j)
            once = ~is_new[a] | (both.ids[a] < both.ids[b])
            yield a[once], b[once], cosine[once]


def _block_pairs(residents: Indices, visitors: Indices, border: int) -> list[BlockPair]:
    """What is compared in a cell: old residents with all newcomers, old visitors with the newcomers at home."""
    at_home, there = residents[residents < border], visitors[visitors < border]
    new_here, new_there = residents[residents >= border], visitors[visitors >= border]
    return [BlockPair(at_home, new_here), BlockPair(at_home, new_there), BlockPair(new_here, there)]


def _columns(members: Members) -> tuple[Any, ...]:
    return members.ids, members.codes, members.probes, members.vectors

"""What has changed since the edges were last found, and the pairs that it brings: no vector is shuffled for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.core.errors import ContractError
from facesieve.core.tables import EDGES, Edges, conform
from facesieve.faces.blocks import RowBatches, batch_of, code, gathered, rows_of
from facesieve.faces.vectors import Hits, Indices
from facesieve.link.edges import PAIRS, PAIRS_A_BATCH, ROUTED, members_in, pairs_of
from facesieve.link.kernels.block_pairs import Asked, Encounter, Meeting
from facesieve.link.kernels.cells import Cut, Flags, Members, groups, stays

_BLOCK_FACES = 131_072
"""Faces of a block that meets the newcomers: the larger, the more of a cell meets them at a time."""
_IDS = "face_id bigint, code bigint"
_COLUMNS = ("faces", "ids", "codes", "probes", "vectors")
_UNCUT = Cut(np.zeros(0, np.int64), np.zeros(0, np.int64))


@dataclass(frozen=True)
class Delta:
    """Faces that came since an epoch's faces were kept, with the codes of their identities, and faces that went.

    All int64, ids ascending.
    """

    fresh: Indices
    codes: Indices
    gone: Indices


def delta(faces: DataFrame, kept: DataFrame, most: int) -> Delta | None:
    """Compare the faces there are (face_id, identity) with those kept (packed); None if more than `most` differ.

    A face whose identity has changed both went and came. Raises ContractError if a face_id comes more than once.
    """
    here = faces.groupBy("face_id").agg(F.min(code()).alias("here"), F.count("*").alias("times"))
    there = kept.select("ids", "codes").mapInArrow(_unpacked, _IDS).withColumnRenamed("code", "there")
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


def without(kept: DataFrame, gone: Indices) -> DataFrame:
    """Return the kept rows less the faces `gone` (ids, ascending)."""
    rows = kept.select(*_COLUMNS)
    return rows.mapInArrow(_picked(lambda ids: ~np.isin(ids, gone)), ROUTED) if len(gone) else rows


def only(kept: DataFrame, ids: Indices) -> DataFrame:
    """Return of the kept rows the faces `ids` (ascending)."""
    rows = kept.select(*_COLUMNS)
    return rows.mapInArrow(_picked(lambda found: np.isin(found, ids)), ROUTED) if len(ids) else rows.limit(0)


def edges_with(rows: DataFrame, newcomers: list[dict[str, Any]], scope: str, asked: Asked) -> Edges:
    """Find the edges of `scope` between newcomers and all faces, lazily: each pair once, also of two newcomers.

    rows: routed faces, the newcomers among them. newcomers: routed rows (as collected), sent to every task.
    """
    pairs = rows.select("ids", "codes", "probes", "vectors").mapInArrow(_compare(newcomers, scope, asked), PAIRS)
    return Edges(conform(pairs.withColumn("scope", F.lit(scope)), EDGES))


def _unpacked(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for row in rows_of(batches):
        yield batch_of(face_id=np.frombuffer(row["ids"], np.int64), code=np.frombuffer(row["codes"], np.int64))


def _picked(wanted: Callable[[Indices], Flags]) -> RowBatches:
    def pick(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for row in rows_of(batches):
            flags = wanted(np.frombuffer(row["ids"], np.int64))
            size = len(flags)
            columns = {name: [np.frombuffer(row[name], np.uint8).reshape(size, -1)[flags]] for name in _COLUMNS[1:]}
            if flags.any():
                yield batch_of(faces=np.array([flags.sum()], np.int32), **columns)

    return pick


def _compare(newcomers: list[dict[str, Any]], scope: str, asked: Asked) -> RowBatches:
    def compare(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        new = members_in(newcomers, scope)
        for held in gathered(rows_of(batches), lambda row: row["ids"].size // 8, _BLOCK_FACES):
            old = members_in(held, scope)
            if len(new.ids) and len(old.ids):
                yield from _crossed(old, new, asked)

    return compare


def _crossed(old: Members, new: Members, asked: Asked) -> Iterator[pa.RecordBatch]:
    """Edges between a block of faces and the newcomers; of two newcomers, where the lower id is in the block."""
    both = Members(*(np.concatenate(pair) for pair in zip(_columns(old), _columns(new), strict=True)))
    for met in gathered(_met(both, np.isin(old.ids, new.ids), asked), lambda hits: len(hits[0]), PAIRS_A_BATCH):
        yield pairs_of(both, met)


def _met(both: Members, known: Flags, asked: Asked) -> Iterator[Hits]:
    """Hits between the first members, of which `known` flags those that are new, and the newcomers behind them."""
    border, meeting = len(known), Meeting(both, asked)
    stay = stays(both.ids, both.probes, _UNCUT)
    shared = np.unique(stay.cell[stay.face >= border])
    for residents, visitors in groups(stay.take(np.isin(stay.cell, shared)), both.ids):
        for i, j, cosine in meeting.edges(_encounters(residents, visitors, border)):
            a, b = np.minimum(i, j), np.maximum(i, j)
            once = ~known[a] | (both.ids[a] < both.ids[b])
            yield a[once], b[once], cosine[once]


def _encounters(residents: Indices, visitors: Indices, border: int) -> list[Encounter]:
    """What is compared in a cell: old residents with all newcomers, old visitors with the newcomers at home."""
    at_home, there = residents[residents < border], visitors[visitors < border]
    new_here, new_there = residents[residents >= border], visitors[visitors >= border]
    return [Encounter(at_home, new_here), Encounter(at_home, new_there), Encounter(new_here, there)]


def _columns(members: Members) -> tuple[Any, ...]:
    return members.ids, members.codes, members.probes, members.vectors

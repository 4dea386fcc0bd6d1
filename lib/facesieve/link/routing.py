"""Routing: to which cells each face goes, kept with the face blocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NewType

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame

from facesieve.core.frames import columns
from facesieve.faces.blocks import (
    NO_IDENTITY,
    FaceBlocks,
    Faces,
    RowBatches,
    batch_of,
    blocks_in,
    concatenated,
    rows_of,
)
from facesieve.link.kernels.cells import Members
from facesieve.link.kernels.voronoi import Pivots, Probes, route

RoutedBlocks = NewType("RoutedBlocks", DataFrame)
"""Face blocks with the cells of each face: rows with the columns of ROUTED_BLOCKS."""

ROUTED_BLOCKS = columns("faces int, ids binary, codes binary, probes binary, vectors binary")
"""How many faces, and as bytes: ids and codes int64 [n], probes int32 [n, r] (home first), vectors float16 [n, D]."""


@dataclass(frozen=True)
class Routing:
    """How far faces probe: pivots float32 [m, D] (None: a single cell for all), probes at most, margin in cosine."""

    pivots: Pivots | None
    probes: int
    margin: float


ONE_CELL = Routing(None, 1, 0.0)
"""All faces in a single cell: all pairs are compared."""


def routed(blocks: FaceBlocks, routing: Routing) -> RoutedBlocks:
    """Find the cells of the faces; in each block the faces are ordered by their home."""
    rows = blocks.select("ids", "codes", "vectors").mapInArrow(_route(routing), ROUTED_BLOCKS)
    return RoutedBlocks(rows)


def cells_of(faces: Faces, routing: Routing) -> Probes:
    """Return the probe lists of a block of faces, int32 [n, r]."""
    if routing.pivots is None:
        return np.zeros((len(faces.ids), 1), np.int32)
    return route(faces.vectors, routing.pivots, routing.probes, routing.margin)


def members_in(rows: Iterable[dict[str, Any]], scope: str) -> Members:
    """Read routed rows as members of the cells of a scope; inside identities the code of the identity is the cell."""
    rows = list(rows)
    faces = concatenated(blocks_in(rows))
    ids, codes, vectors = faces.ids, faces.codes, faces.vectors
    if scope == "identity" or not len(ids):
        return Members(ids, codes, codes[:, None], vectors).take(np.flatnonzero(codes != NO_IDENTITY))
    probes = np.concatenate([np.frombuffer(row["probes"], np.int32) for row in rows])
    return Members(ids, codes, probes.reshape(len(ids), -1), vectors)


def _route(routing: Routing) -> RowBatches:
    def find(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for block in blocks_in(rows_of(batches)):
            probes = cells_of(block, routing)
            home = np.argsort(probes[:, 0], kind="stable")
            columns = (block.ids, block.codes, probes, block.vectors)
            ids, codes, lists, vectors = ([column[home]] for column in columns)
            yield batch_of(faces=np.array([len(home)], np.int32), ids=ids, codes=codes, probes=lists, vectors=vectors)

    return find

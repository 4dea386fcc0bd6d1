"""How faces travel to the cells where they are compared: packed, many faces of one cell in one row.

A packed row holds faces that come to one cell as residents (`visiting` false) or as visitors, with vectors as float16.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from facesieve.errors import ContractError
from facesieve.kernels.vectors import Halves, Indices
from facesieve.kernels.voronoi import Members, Probes

Item = TypeVar("Item")
RowBatches = Callable[[Iterable[pa.RecordBatch]], Iterable[pa.RecordBatch]]

BLOCK_FACES = 16_384
"""Faces that one task packs at a time, and visitors that a cell meets at a time: bounds memory."""


@dataclass(frozen=True)
class Faces:
    """A block of faces: ids int64 [n], vectors float16 [n, D], identities [n] (strings, null where there is none)."""

    ids: Indices
    vectors: Halves
    identities: pa.Array


def packed_schema(cell: str) -> str:
    """Spark schema of packed rows whose cells are named by the Spark type `cell`."""
    return f"cell {cell}, visiting boolean, ids binary, probes binary, vectors binary, identities array<string>"


def chunks(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Gather Arrow batches of faces into tables of about BLOCK_FACES rows; none is empty."""
    for held in _gathered(batches, len):
        yield pa.Table.from_batches(held).combine_chunks()


def blocks(batches: Iterable[pa.RecordBatch]) -> Iterator[Faces]:
    """Read Arrow batches (face_id, identity, vector) as blocks of about BLOCK_FACES faces.

    Raises ContractError when vectors differ in length.
    """
    for table in chunks(batches):
        ids, vectors = table.column("face_id").to_numpy(), table.column("vector").combine_chunks()
        lengths = np.unique(vectors.value_lengths().fill_null(0).to_numpy())
        if len(lengths) > 1:
            raise ContractError(f"embeddings.vector: vectors of one model differ in length ({lengths.tolist()})")
        flat = vectors.flatten().to_numpy(zero_copy_only=False).reshape(len(ids), -1)
        yield Faces(ids, flat.astype(np.float16), table.column("identity").cast(pa.string()).combine_chunks())


def _gathered(items: Iterable[Item], weight: Callable[[Item], int]) -> Iterator[list[Item]]:
    """Gather items into lists that weigh BLOCK_FACES or a little more; items without weight are left out."""
    held: list[Item] = []
    total = 0
    for item in filter(weight, items):
        held.append(item)
        total += weight(item)
        if total >= BLOCK_FACES:
            yield held
            held, total = [], 0
    if held:
        yield held


def pack(faces: Faces, cells: npt.NDArray[Any], probes: Probes) -> pa.RecordBatch:
    """Send each face to its cells: one packed row per cell and kind of stay, in ascending order of cell.

    Shapes: cells [n, k], the resident's cell first; probes int32 [n, r] travel along.
    """
    face = np.repeat(np.arange(len(faces.ids)), cells.shape[1])
    visiting = np.tile(np.arange(cells.shape[1]) > 0, len(faces.ids))
    names, codes = np.unique(cells.ravel(), return_inverse=True)
    order = np.lexsort((visiting, codes))
    face, visiting, codes = face[order], visiting[order], codes[order]
    starts = np.flatnonzero(np.diff(codes * 2 + visiting, prepend=-1))
    offsets = np.append(starts, len(face)).astype(np.int32)
    columns = [
        pa.array(names[codes[starts]]),
        pa.array(visiting[starts]),
        _binary(offsets, faces.ids[face]),
        _binary(offsets, probes[face]),
        _binary(offsets, faces.vectors[face]),
        pa.ListArray.from_arrays(pa.array(offsets), faces.identities.take(pa.array(face))),
    ]
    return pa.record_batch(columns, names=["cell", "visiting", "ids", "probes", "vectors", "identities"])


def _binary(offsets: npt.NDArray[np.int32], rows: npt.NDArray[Any]) -> pa.Array:
    contiguous = np.ascontiguousarray(rows)
    size = contiguous.nbytes // max(1, len(contiguous))
    buffers = [None, pa.py_buffer((offsets * size).astype(np.int32)), pa.py_buffer(contiguous)]
    return pa.Array.from_buffers(pa.binary(), len(offsets) - 1, buffers)


@dataclass(frozen=True)
class Group:
    """Faces that stay in one cell in the same way, with their identities as objects [n] (None where there is none)."""

    members: Members
    identities: npt.NDArray[Any]


def meetings(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[Group, Iterator[Group]]]:
    """Read packed rows sorted by cell and `visiting`: per cell its residents, and its visitors in bounded groups.

    A cell may span Arrow batches. Take a cell's visitors before the next cell. Cells without residents are left out.
    """
    rows = (row for batch in batches for row in batch.to_pylist())
    for _, cell in itertools.groupby(rows, key=lambda row: row["cell"]):
        stays = itertools.groupby(cell, key=lambda row: bool(row["visiting"]))
        visiting, first = next(stays)
        if not visiting:
            residents = _group(list(first))
            visits = (row for _, stay in stays for row in stay)
            yield residents, map(_group, _gathered(visits, lambda row: len(row["identities"])))


def _group(rows: Sequence[dict[str, Any]]) -> Group:
    identities = np.array([name for row in rows for name in row["identities"]], dtype=object)
    ids = np.frombuffer(b"".join(row["ids"] for row in rows), np.int64)
    probes = np.frombuffer(b"".join(row["probes"] for row in rows), np.int32).reshape(len(ids), -1)
    vectors = np.frombuffer(b"".join(row["vectors"] for row in rows), np.float16).reshape(len(ids), -1)
    return Group(Members(ids, probes, vectors), identities)

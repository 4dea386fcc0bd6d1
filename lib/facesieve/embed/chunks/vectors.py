"""Vectors that come without images: each becomes one face, scaled to unit length, or a reject with its reason."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import to_arrow_schema

from facesieve.core import ids
from facesieve.core.errors import ConfigError, Fault
from facesieve.core.profiles import Profile
from facesieve.core.reasons import Reason
from facesieve.core.tombstones import NOTHING_ERASED, Tombstones
from facesieve.embed.worker import OUTCOMES
from facesieve.faces.vectors import ordered_dot
from facesieve.images.protocol import Source
from facesieve.images.vectors.vector_set import VectorSet

SCALED = "scaled to unit length"
"""The detail of a face whose vector was not of unit length."""

_ARROW = to_arrow_schema(OUTCOMES)
_NUMBER = np.dtype("<f4")
_MOST_ROWS = 4_096
_ROUNDING, _OTHER_LENGTH = 1e-6, 1e-3
"""How far from 1 a length may be: to be left as it is; and to count as unit length, which half precision rounds."""


_CHANGED = Reason.UNREAD, "it has changed since it was listed"
_ERASED = Reason.ERASED, ""


class Basis(NamedTuple):
    """What vectors must be: how many numbers they have, the model id that they get, and which were erased."""

    dimension: int
    model: str
    erased: Tombstones = NOTHING_ERASED


class _Scaled(NamedTuple):
    """Vectors of unit length [n, d], why a row is none (None: it is one), and which rows had another length."""

    vectors: npt.NDArray[np.float32]
    faults: list[tuple[Reason, str] | None]
    changed: npt.NDArray[np.bool_]


def vector_batches(batches: Iterable[pa.RecordBatch], basis: Basis) -> Iterator[pa.RecordBatch]:
    """Turn batches of vectors (columns image_id, uri, sha256, size, content) into batches of `OUTCOMES`."""
    for batch in _merged(batches):
        for first in range(0, batch.num_rows, _MOST_ROWS):
            yield _outcomes(batch.slice(first, _MOST_ROWS), basis)


def _merged(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Join small batches into larger ones: Spark sends few images at once, since these may be large."""
    waiting = list[pa.RecordBatch]()
    for batch in batches:
        waiting.append(batch)
        if sum(each.num_rows for each in waiting) >= _MOST_ROWS:
            yield from pa.Table.from_batches(waiting).combine_chunks().to_batches()
            waiting.clear()
    if waiting:
        yield from pa.Table.from_batches(waiting).combine_chunks().to_batches()


def check_dimension(origin: Source, profile: Profile) -> None:
    """Raise ConfigError if the headers of files tell that the vectors are not those of the profile."""
    widths = origin.dimensions if isinstance(origin, VectorSet) else []
    wrong = [width for width in widths if width != profile.dimension]
    if wrong:
        problem = f"the profile {profile.name} has {profile.dimension} numbers a vector, images.root has {wrong[0]}"
        fix = 'Name the profile of the model that made the vectors; docs/models.md shows one with form = "vectors".'
        raise ConfigError([Fault("embed.model", problem, fix)])


def is_scaled() -> Column:
    """Return a condition on outcomes: the face's vector was not of unit length."""
    return F.col("reason").isNull() & F.col("detail").isNotNull()


def _outcomes(batch: pa.RecordBatch, basis: Basis) -> pa.RecordBatch:
    uris, contents = (batch.column(name).to_pylist() for name in ("uri", "content"))
    digests = [None if each is None else hashlib.sha256(each).hexdigest() for each in contents]
    listed = [former or digest for former, digest in zip(batch.column("sha256").to_pylist(), digests, strict=True)]
    images = [ids.image_id(*pair) for pair in zip(uris, listed, strict=True)]
    scaled = _scaled(contents, basis.dimension)
    same = (before == now for before, now in zip(listed, digests, strict=True))
    faults = [fault if fine else _CHANGED for fault, fine in zip(scaled.faults, same, strict=True)]
    blocked = map(basis.erased.block, images, listed)
    faults = [_ERASED if is_erased else fault for fault, is_erased in zip(faults, blocked, strict=True)]
    none = np.array([fault is not None for fault in faults], bool)
    faces = [None if no else ids.face_id(image, basis.model, 0) for image, no in zip(images, none, strict=True)]
    details = [SCALED if changed else None for changed in scaled.changed]
    values: dict[str, pa.Array] = {
        "face_id": pa.array(faces, pa.int64()),
        "image_id": pa.array(images, pa.int64()),
        "uri": pa.array(uris, pa.string()),
        "sha256": pa.array(listed, pa.string()),
        "face_rank": pa.array(np.zeros(len(uris), np.int32), mask=none),
        "reasons": pa.array([None if no else [] for no in none], _ARROW.field("reasons").type),
        "vector": _lists(scaled.vectors, none),
        "model": pa.repeat(pa.scalar(basis.model), len(uris)),
        "reason": pa.array([fault and fault[0].value for fault in faults], pa.string()),
        "detail": pa.array(
            [fault[1] if fault else detail for fault, detail in zip(faults, details, strict=True)], pa.string()
        ),
    }
    columns = [values.get(field.name, pa.nulls(len(uris), field.type)).cast(field.type) for field in _ARROW]
    return pa.RecordBatch.from_arrays(columns, schema=_ARROW)


def _scaled(contents: Sequence[bytes | None], dimension: int) -> _Scaled:
    """Read the numbers of vectors, and scale them to unit length; a row that is no vector is of zeros."""
    size = _NUMBER.itemsize * dimension
    zeros = bytes(size)
    plain = b"".join(each if each is not None and len(each) == size else zeros for each in contents)
    numbers = np.frombuffer(plain, _NUMBER).reshape(len(contents), dimension)
    wide = numbers.astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        lengths = np.sqrt(ordered_dot(wide, wide))
    usable = np.isfinite(lengths) & (lengths > 0)
    apart = np.abs(np.where(usable, lengths, 1.0) - 1)
    factors = np.where(apart > _ROUNDING, np.where(usable, lengths, 1.0), 1.0)
    vectors = (wide / factors[:, None]).astype(np.float32)
    faults = [_fault(*row, dimension) for row in zip(contents, lengths.tolist(), strict=True)]
    return _Scaled(vectors, faults, apart > _OTHER_LENGTH)


def _fault(content: bytes | None, length: float, dimension: int) -> tuple[Reason, str] | None:
    """Say why a row is no vector; None if it is one."""
    if content is None:
        return Reason.EMPTY, "the row has no vector"
    numbers = len(content) / _NUMBER.itemsize
    if numbers != dimension:
        return Reason.UNDECODABLE, f"the vector has {numbers:g} numbers, the profile says {dimension}"
    if not math.isfinite(length):
        return Reason.UNDECODABLE, "the vector holds a number that is not finite"
    return None if length > 0 else (Reason.UNDECODABLE, "all numbers of the vector are 0")


def _lists(vectors: npt.NDArray[np.float32], none: npt.NDArray[Any]) -> pa.Array:
    """Make lists of the rows that are vectors, nulls of the others."""
    kind = _ARROW.field("vector").type
    widths = np.where(none, 0, vectors.shape[1])
    offsets = pa.array(np.concatenate([[0], np.cumsum(widths)]).astype(np.int32), mask=np.append(none, False))
    return pa.ListArray.from_arrays(offsets, pa.array(vectors[~none].ravel(), pa.float32())).cast(kind)

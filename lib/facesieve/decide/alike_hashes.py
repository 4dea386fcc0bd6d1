"""Which pairs of images are alike by their perceptual hashes: the whole of one like a view of the other, or the faces.

Spark sends the hashes of a pair as 1.3 kB of bytes. They are compared where they lie, without an object for each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NewType

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from numpy.lib.stride_tricks import sliding_window_view
from pyspark.sql import DataFrame

from facesieve.core.frames import columns
from facesieve.decide.kernels.duplicates import least_difference
from facesieve.embed.perceptual_hash import VIEW_BYTES, VIEWS

HashedPairs = NewType("HashedPairs", DataFrame)
HASHED_PAIRS = columns(
    "image bigint, to_image bigint, face bigint, to bigint, views binary, whole binary, face_views binary, "
    "face_whole binary, face_mirrored binary"
)
"""Pairs of faces of two images. views, face_views: of the first; whole, face_whole, face_mirrored: of the second; null
or of a length that is no whole number of views: like none."""

AlikePairs = NewType("AlikePairs", DataFrame)
ALIKE_PAIRS = columns("image bigint, to_image bigint, face bigint, to bigint, difference int, mirrored boolean")

MIRROR_SHARE, MIRROR_LEAD = 4 / 3, 48
"""A face and a mirrored one may differ in so many times the bits of `decide.near_face_bits`, where the faces as they
stand differ in 48 bits more: of LFW's 2,000 nearest pairs of one person 7 more are compared so, with 64 bits for all
faces 384 more."""

_FAR = 9_999
_ROWS = 4_096
"""Pairs that are compared at a time."""

Bytes = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int64]
Batches = Iterable[pa.RecordBatch]


def alike_pairs(pairs: HashedPairs, near_bits: int, near_face_bits: int) -> AlikePairs:
    """Keep the pairs that differ in at most `near_bits` bits, or in the faces in at most `near_face_bits`; lazy.

    mirrored: the face is like the other's mirror image, and in nothing else.
    """
    return AlikePairs(pairs.select(*HASHED_PAIRS.names).mapInArrow(_choice(near_bits, near_face_bits), ALIKE_PAIRS))


def _choice(near_bits: int, most: int) -> Callable[[Batches], Iterator[pa.RecordBatch]]:
    def chosen(batches: Batches) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            whole = differences(batch.column("views"), batch.column("whole"))
            face, mirror = (
                differences(batch.column("face_views"), batch.column(name)) for name in ("face_whole", "face_mirrored")
            )
            ahead = (mirror <= most * MIRROR_SHARE) & (face - mirror >= MIRROR_LEAD)
            near = whole <= near_bits, face <= most, (mirror <= most) | ahead
            every = np.where(np.stack(near), np.stack([whole, face, mirror]), _FAR)
            least = every.min(axis=0)
            rows = np.flatnonzero(least < _FAR)
            ids = [batch.column(name).take(pa.array(rows)) for name in ALIKE_PAIRS.names[:4]]
            mirrored = every[:2, rows].min(axis=0) > every[2, rows]
            arrays = [*ids, pa.array(least[rows], pa.int32()), pa.array(mirrored)]
            yield pa.RecordBatch.from_arrays(arrays, ALIKE_PAIRS.names)

    return chosen


def differences(views: pa.BinaryArray, wholes: pa.BinaryArray) -> Numbers:
    """Count the bits by which each row's whole differs from its likest view; 9,999 where there are none to compare.

    Shapes: P values each, of which rows may have different numbers of views -> int64 [P].
    """
    of_views, view_starts, view_sizes = _laid_out(views)
    of_wholes, whole_starts, whole_sizes = _laid_out(wholes)
    sound = (whole_sizes == VIEW_BYTES) & (view_sizes % VIEW_BYTES == 0) & (view_sizes > 0)
    bits = np.full(len(views), _FAR, np.int64)
    for size in np.unique(view_sizes[sound]):
        # The last view of a face is its mirror image: it stands for the other end of a pair, not for this one.
        own = min(int(size), len(VIEWS) * VIEW_BYTES)
        same = np.flatnonzero(sound & (view_sizes == size))
        for rows in np.split(same, np.arange(_ROWS, len(same), _ROWS)):
            first = _cut(of_views, view_starts[rows], own).reshape(len(rows), -1, VIEW_BYTES)
            bits[rows] = least_difference(first, _cut(of_wholes, whole_starts[rows], VIEW_BYTES))
    return bits


def _cut(data: Bytes, starts: Numbers, size: int) -> Bytes:
    """Return `size` bytes from each start on, uint8 [n, size]; nothing is copied where the starts lie evenly."""
    pieces, steps = sliding_window_view(data, size), np.diff(starts)
    if len(steps) and steps[0] > 0 and np.all(steps == steps[0]):
        return pieces[starts[0] : starts[-1] + 1 : steps[0]]
    return pieces[starts]


def _laid_out(column: pa.BinaryArray) -> tuple[Bytes, Numbers, Numbers]:
    """Return the bytes of all values, and where each begins and how long it is, int64 [P]; null is of no length."""
    filled = pc.fill_null(column, b"")
    _, offsets, data = filled.buffers()
    ends = np.frombuffer(offsets, np.int32)[filled.offset : filled.offset + len(filled) + 1].astype(np.int64)
    return np.frombuffer(data or b"", np.uint8), ends[:-1], np.diff(ends)

"""One face speaks for each image, and its nearest kept face is the evidence: folder by folder, in a stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import types as T

from facesieve.kernels.nearest import nearest, speakers
from facesieve.reasons import Verdict
from facesieve.stages.policy import FOLDER

Array = npt.NDArray[Any]

_CHUNK = 4_096
"""Rows gathered before whole folders are worked on, so that small folders share the cost of conversion."""

_FOUND = (T.StructField("nearest_face", T.LongType()), T.StructField("cosine", T.FloatType()))


def with_evidence(faces: DataFrame) -> DataFrame:
    """Keep, of the rows that `policy.judged` made, the one of the face that speaks for its image; add the evidence.

    `faces` has also `vector`, null where an image failed. Returns its columns without `vector`, and nearest_face and
    cosine: of the kept face of the same folder that is nearest to the speaking one, other than itself (null if none).
    """
    ordered = faces.repartition(*FOLDER).sortWithinPartitions(*FOLDER, "image_id", "face_id")
    told = [field for field in faces.schema if field.name != "vector"]
    return ordered.mapInArrow(_testimonies, T.StructType([*told, *_FOUND]))


def _testimonies(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for rows in _whole_folders(batches):
        yield from _testimony(rows).to_batches()


def _whole_folders(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Join batches, sorted by folder, into tables that cut no folder; a folder of n rows is looked at log n times."""
    waiting: list[pa.RecordBatch] = []
    count, wanted = 0, _CHUNK
    for batch in batches:
        waiting.append(batch)
        count += batch.num_rows
        if count >= wanted:
            rows = pa.Table.from_batches(waiting)
            cut = int(_starts(rows)[-1])
            if cut:
                yield rows.slice(0, cut)
            waiting, count = rows.slice(cut).to_batches(), count - cut
            wanted = max(_CHUNK, 2 * count)
    if count:
        yield pa.Table.from_batches(waiting)


def _starts(rows: pa.Table) -> Array:
    """Row numbers where a folder begins; null equals null."""
    begins = np.zeros(len(rows), bool)
    begins[:1] = True
    for name in FOLDER:
        column = rows[name].combine_chunks()
        former, here = column.slice(0, len(column) - 1), column.slice(1)
        differs = pc.coalesce(pc.not_equal(former, here), pc.xor(pc.is_null(former), pc.is_null(here)))
        begins[1:] |= _numpy(differs)
    return np.flatnonzero(begins)


def _testimony(rows: pa.Table) -> pa.Table:
    ids, vectors = _numpy(rows["face_id"]), _matrix(rows["vector"])
    images, ranks, main = (_numpy(rows[name]) for name in ("image_id", "face_rank", "main"))
    kept = _numpy(pc.equal(rows["verdict"], Verdict.KEEP.value))
    spoken, found, cosines = [], [], []
    for start, stop in pairwise([*_starts(rows).tolist(), len(rows)]):
        part = slice(start, stop)
        chosen = start + speakers(images[part], ranks[part], ids[part], vectors[part], main[part])
        row, cosine = nearest(ids[chosen], vectors[chosen], kept[chosen])
        spoken.append(chosen)
        found.append(np.where(row < 0, -1, chosen[row]))
        cosines.append(cosine)
    at, cosine = np.concatenate(found), np.concatenate(cosines)
    told = rows.drop_columns(["vector"]).take(np.concatenate(spoken))
    return told.append_column(_FOUND[0].name, pa.array(ids[at], pa.int64(), mask=at < 0)).append_column(
        _FOUND[1].name, pa.array(cosine, pa.float32(), mask=at < 0)
    )


def _numpy(column: pa.Array | pa.ChunkedArray) -> Array:
    """To NumPy; null (only of images that failed, each a folder of its own) becomes zero."""
    zero = False if pa.types.is_boolean(column.type) else 0
    return np.asarray(pc.fill_null(column, zero).to_numpy(zero_copy_only=False))


def _matrix(column: pa.ChunkedArray) -> Array:
    lengths = _numpy(pc.list_value_length(column))
    width, found = int(lengths.max(initial=0)), lengths > 0
    vectors = np.zeros((len(column), width), np.float32)
    vectors[found] = _numpy(pc.list_flatten(column)).reshape(int(found.sum()), width)
    return vectors

"""The true edges of a few faces, found by comparing them with everything: what settings are derived from and recall is
measured against."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.core.tables import Edges
from facesieve.faces.blocks import Faces, RowBatches, batch_of, faces_in, rows_of
from facesieve.faces.vectors import Indices
from facesieve.link.kernels.probe_tuning import TrueEdges
from facesieve.link.kernels.recall import Neighbours, ratio_interval

_FOUND = "degrees binary, of binary, others binary, vectors binary"
_SEED = 1


@dataclass(frozen=True)
class Truth:
    """True edges per face, int64 [q], and some of them with both ends."""

    degrees: Indices
    edges: TrueEdges


@dataclass(frozen=True)
class Recall:
    """Share of the true edges that were found, with a 95 % interval; all None below 50 true edges.

    true_edges counts the edges of the sampled `faces` (an edge between two of them twice).
    """

    recall: float | None
    low: float | None
    high: float | None
    true_edges: int
    faces: int


def truth(packed: DataFrame, faces: Faces, cosine: float) -> Truth:
    """Compare `faces` with all packed faces: an edge has an exact cosine at or above `cosine`."""
    rows = packed.select("ids", "codes", "vectors").mapInArrow(_find(faces, cosine), _FOUND).collect()
    known = Neighbours(faces.ids, faces.vectors, cosine)
    for row in rows:
        known.degrees += np.frombuffer(row.degrees, np.int64)
        of = np.frombuffer(row.of, np.int64)
        vectors = np.frombuffer(row.vectors, np.float16).reshape(len(of), faces.vectors.shape[1])
        known.hold(of, np.frombuffer(row.others, np.int64), vectors)
    of, _, vectors = known.partners()
    held = np.bincount(of, minlength=len(faces.ids))
    return Truth(known.degrees, TrueEdges(faces.vectors, of, vectors, (known.degrees / np.maximum(held, 1))[of]))


def recall(edges: Edges, ids: Indices, degrees: Indices) -> Recall:
    """Measure the recall of heap edges on faces `ids` int64 [q] that have `degrees` int64 [q] true edges.

    Give edges that are written, and not yet capped.
    """
    known = edges.sparkSession.createDataFrame([(int(face_id),) for face_id in ids], "face_id bigint")
    ends = edges.where(F.col("scope") == "global").select(F.explode(F.array("src", "dst")).alias("face_id"))
    met = ends.join(F.broadcast(known), on="face_id", how="left_semi").groupBy("face_id").agg(F.count("*").alias("n"))
    counts = {row["face_id"]: row["n"] for row in met.collect()}
    found = np.array([counts.get(int(face_id), 0) for face_id in ids], np.int64)
    recalled, low, high = ratio_interval(found, degrees, _SEED) or (None, None, None)
    return Recall(recalled, low, high, int(degrees.sum()), len(ids))


def _find(faces: Faces, cosine: float) -> RowBatches:
    def find(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        known = Neighbours(faces.ids, faces.vectors, cosine)
        for block in faces_in(rows_of(batches)):
            known.add(block.ids, block.vectors)
        of, others, vectors = known.partners()
        yield batch_of(degrees=[known.degrees], of=[of], others=[others], vectors=[vectors])

    return find

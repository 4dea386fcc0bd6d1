"""Recall of the heap's edges, measured in every run on a few faces compared with everything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.kernels.recall import ENOUGH_EDGES, FEWEST_FACES, degrees, enough_faces, ratio_interval
from facesieve.kernels.vectors import Halves, Indices
from facesieve.stages.cells import RowBatches, blocks
from facesieve.stages.sampling import Sample, sample
from facesieve.tables import Edges

MOST_FACES = 5_000

_SAMPLE_SEED = 1
_COUNTS = "face_id bigint, edges bigint"


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


def recall(faces: DataFrame, edges: Edges, cosine: float) -> Recall:
    """Measure the recall of heap `edges` at link `cosine`: faces chosen by id hash, against all faces.

    Faces (face_id bigint, identity string, vector array<float>) are added in the order of their id hash until they are
    500 and have 1,000 true edges, or are 5,000. Give edges that are materialised, and not yet capped.
    """
    # Other faces than those the pivots were chosen from: a face that was a pivot sits near its cell's centre.
    chosen = sample(faces, MOST_FACES * 6 // 5, _SAMPLE_SEED, faces.count())
    ids, true = _true_edges(faces, chosen, cosine)
    known = faces.sparkSession.createDataFrame([(int(face_id),) for face_id in ids], "face_id bigint")
    ends = edges.where((F.col("scope") == "heap") & (F.col("cosine") >= cosine))
    ends = ends.select(F.explode(F.array("src", "dst")).alias("face_id"), F.lit(1).alias("edges"))
    found = _counted(ends.join(F.broadcast(known), on="face_id", how="left_semi"), ids)
    recalled, low, high = ratio_interval(found, true, _SAMPLE_SEED) or (None, None, None)
    return Recall(recalled, low, high, int(true.sum()), len(ids))


def _true_edges(faces: DataFrame, chosen: Sample, cosine: float) -> tuple[Indices, Indices]:
    """Ids of the faces needed, and their true edges; few faces are tried first, which mostly are enough."""
    compared = faces.select("face_id", "identity", "vector")
    for count in (FEWEST_FACES, MOST_FACES):
        ids = chosen.ids[:count]
        true = _counted(compared.mapInArrow(_degrees(ids, chosen.vectors[:count], cosine), _COUNTS), ids)
        if true.sum() >= ENOUGH_EDGES:
            break
    needed = enough_faces(true)
    return ids[:needed], true[:needed]


def _degrees(ids: Indices, vectors: Halves, cosine: float) -> RowBatches:
    def count(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for block in blocks(batches):
            edges = degrees(ids, vectors, block.ids, block.vectors, cosine)
            yield pa.record_batch([pa.array(ids), pa.array(edges)], names=["face_id", "edges"])

    return count


def _counted(edges: DataFrame, ids: Indices) -> Indices:
    """Sum `edges` per face, in the order of `ids`."""
    rows = edges.groupBy("face_id").agg(F.sum("edges").alias("edges")).collect()
    counts = {row["face_id"]: row["edges"] for row in rows}
    return np.array([counts.get(int(face_id), 0) for face_id in ids], np.int64)

"""Recall: the true edges of a few faces, found by comparing them with everything, and how many of them were found.

Settings are derived from the true edges of some faces, recall is measured on those of others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from pyspark.sql import functions as F

from facesieve.core.tables import Edges
from facesieve.faces.blocks import FaceBlocks, Faces, RowBatches, batch_of, blocks_in, rows_of
from facesieve.faces.edge_frames import ends, face_ids
from facesieve.faces.vectors import Indices
from facesieve.link.collection import Collection
from facesieve.link.kernels.probe_tuning import TrueEdges
from facesieve.link.kernels.recall import (
    ENOUGH_EDGES,
    FEWEST_FACES,
    MOST_FACES,
    Neighbours,
    enough_faces,
    ratio_interval,
)

_PARTNERS = "degrees binary, of binary, others binary, vectors binary"
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


class RecallSample:
    """True edges of a few faces: half of them to derive settings from, the other half to measure recall on.

    `ids` and `degrees` int64 [q] are those of the faces that recall is measured on.
    """

    def __init__(self, collection: Collection, cosine: float) -> None:
        faces = collection.last_sampled(2 * FEWEST_FACES)
        self._truth = truth(collection.blocks, faces, cosine)
        self._half = len(faces.ids) // 2 if collection.total >= 2 * FEWEST_FACES else 0
        self.ids, self.degrees = faces.ids[self._half :], self._truth.degrees[self._half :]
        if self.degrees.sum() < ENOUGH_EDGES and collection.total > len(faces.ids):
            self._take_more(collection, cosine)

    def _take_more(self, collection: Collection, cosine: float) -> None:
        faces = collection.last_sampled(MOST_FACES)
        degrees = truth(collection.blocks, faces, cosine).degrees[::-1]
        needed = enough_faces(degrees)
        self.ids, self.degrees = faces.ids[::-1][:needed], degrees[:needed]

    def to_derive(self) -> TrueEdges:
        """True edges of the faces that recall is not measured on (of all, in a collection too small to part)."""
        edges, half = self._truth.edges, self._half or len(self._truth.edges.faces)
        mine = edges.of < half
        return TrueEdges(edges.faces[:half], edges.of[mine], edges.others[mine], edges.weights[mine])

    def all(self) -> TrueEdges:
        """All true edges of which both ends are at hand."""
        return self._truth.edges


def truth(blocks: FaceBlocks, faces: Faces, cosine: float) -> Truth:
    """Compare `faces` with all faces: an edge has an exact cosine at or above `cosine`."""
    rows = blocks.select("ids", "codes", "vectors").mapInArrow(_find(faces, cosine), _PARTNERS).collect()
    neighbours = Neighbours(faces.ids, faces.vectors, cosine)
    for row in rows:
        neighbours.degrees += np.frombuffer(row.degrees, np.int64)
        of = np.frombuffer(row.of, np.int64)
        vectors = np.frombuffer(row.vectors, np.float16).reshape(len(of), faces.vectors.shape[1])
        neighbours.remember(of, np.frombuffer(row.others, np.int64), vectors)
    of, _, vectors = neighbours.partners()
    remembered = np.bincount(of, minlength=len(faces.ids))
    weights = (neighbours.degrees / np.maximum(remembered, 1))[of]
    return Truth(neighbours.degrees, TrueEdges(faces.vectors, of, vectors, weights))


def recall(edges: Edges, ids: Indices, degrees: Indices) -> Recall:
    """Measure the recall of edges in scope `global` on faces `ids` int64 [q] that have `degrees` int64 [q] true edges.

    Give edges that are written, and not yet capped.
    """
    sampled = F.broadcast(face_ids(edges.sparkSession, ids))
    mine = ends(edges.where(F.col("scope") == "global")).join(sampled, on="face_id", how="left_semi")
    counts = {row["face_id"]: row["n"] for row in mine.groupBy("face_id").agg(F.count("*").alias("n")).collect()}
    recalled = np.array([counts.get(int(face_id), 0) for face_id in ids], np.int64)
    share, low, high = ratio_interval(recalled, degrees, _SEED) or (None, None, None)
    return Recall(share, low, high, int(degrees.sum()), len(ids))


def _find(faces: Faces, cosine: float) -> RowBatches:
    def find(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        neighbours = Neighbours(faces.ids, faces.vectors, cosine)
        for block in blocks_in(rows_of(batches)):
            neighbours.add(block.ids, block.vectors)
        of, others, vectors = neighbours.partners()
        yield batch_of(degrees=[neighbours.degrees], of=[of], others=[others], vectors=[vectors])

    return find

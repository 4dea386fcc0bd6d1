"""Images of protected people: found by their faces' nearest protected faces, cluster by cluster, then face by face."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NewType

import numpy as np
import pyarrow as pa
from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from facesieve.core.errors import ContractError
from facesieve.core.frames import columns
from facesieve.core.tables import Clusters, Embeddings, Listing
from facesieve.decide.inputs import Overlaps
from facesieve.decide.kernels.nearest import greatest
from facesieve.decide.kernels.overlap import (
    COHORT,
    FLOOR,
    Cohort,
    cluster_cosine,
    likeness,
    quantile,
    templates,
)
from facesieve.faces.blocks import (
    FaceBlocks,
    ListedFaces,
    RowBatches,
    blocks_in,
    face_blocks,
    inventory,
    rows_of,
    sample,
)
from facesieve.faces.vectors import Halves

_UNITS = 2**20
"""Cosines are summed as integers, so that no order of faces changes a mean."""

_NEAREST = columns("face_id bigint, cosine float")
_SEED = 0

LISTED_FACES = columns("face_id bigint, image_id bigint, uri string, identity string, vector array<float>")
"""The faces of the listing, of one model, with their images."""

ProtectedFaces = NewType("ProtectedFaces", DataFrame)
PROTECTED_FACES = columns("face_id bigint, vector array<float>")
"""The faces of protected people; face_id is null where they are not of this run."""


def listed_faces(embeddings: Embeddings, listing: Listing) -> ListedFaces:
    """Take the embedded faces of the listing."""
    images = listing.select("image_id", "uri", "identity")
    faces = embeddings.select("face_id", "image_id", "vector").join(images, "image_id", how="inner")
    return ListedFaces(faces.select(*LISTED_FACES.names))


@dataclass(frozen=True)
class _Gallery:
    """What every worker is sent: the protected faces, float16 [P, D], their means with those like them, impostors."""

    protected: Halves
    means: Halves
    cohort: Cohort


def overlaps(faces: ListedFaces, clusters: Clusters, protected: ProtectedFaces, line: tuple[float, float]) -> Overlaps:
    """Find the images that show a protected person; persist them if they are read twice.

    clusters: rows of the faces in any scope; a face is judged with its cluster of the scope `global`, else of its
    identity, else alone. protected: few enough for one machine (100,000: 26 MB at 128 numbers). A face that is
    protected itself marks its image and says nothing of its cluster. line: intercept and slope of the model's
    impostors. Raises ContractError on vectors that are missing, zero or of another length.
    """
    own = F.broadcast(protected.where(F.col("face_id").isNotNull()).select("face_id").distinct())
    others = faces.join(own, "face_id", how="left_anti").select("face_id", "image_id", "identity", "vector")
    rows = FaceBlocks(face_blocks(ListedFaces(others)).persist(StorageLevel.MEMORY_AND_DISK))
    gallery = _gallery(protected, rows, line)
    near = rows.select("ids", "codes", "vectors").mapInArrow(_nearest(gallery), _NEAREST)
    suspects = _in_marked_clusters(near.join(_groups(clusters), "face_id", how="left"), gallery)
    close = others.join(suspects, "face_id", how="inner").persist(StorageLevel.MEMORY_AND_DISK)
    near_blocks = face_blocks(ListedFaces(close)).select("ids", "codes", "vectors")
    alike = near_blocks.mapInArrow(_alike(gallery), "face_id bigint")
    look_alikes = close.join(alike, "face_id", how="left_semi").select("image_id", "cosine")
    themselves = faces.join(own, "face_id", how="left_semi").select(
        "image_id", F.lit(1.0).cast("float").alias("cosine")
    )
    images = look_alikes.unionByName(themselves).groupBy("image_id")
    return Overlaps(images.agg(F.max("cosine").alias("cosine")))


def _gallery(protected: ProtectedFaces, rows: FaceBlocks, line: tuple[float, float]) -> _Gallery:
    """Collect the protected faces, each vector once and in its own order, and a sample of all faces."""
    nameless = (F.lit(0).cast("bigint").alias("face_id"), F.lit(None).cast("string").alias("identity"))
    blocks_of = face_blocks(ListedFaces(protected.select(*nameless, "vector")))
    blocks = [block.vectors for block in blocks_in(blocks_of.select("ids", "codes", "vectors").collect())]
    if not blocks:
        raise ContractError("protected: there is no face. Protect nobody, or give at least one face.")
    dimension = blocks[0].shape[1]
    inventory(blocks_of, dimension)
    total = inventory(rows, dimension)
    vectors = np.unique(np.concatenate(blocks), axis=0)
    sampled = sample(rows, COHORT, _SEED, total).vectors
    cohort = Cohort(line, sampled if total else np.zeros((0, dimension), np.float16))
    return _Gallery(vectors, templates(vectors, cohort), cohort)


def _groups(clusters: Clusters) -> DataFrame:
    """One cluster per face: that of the scope `global` where it has one."""
    return clusters.groupBy("face_id").agg(_cluster_in("global"), _cluster_in("identity"))


def _cluster_in(scope: str) -> Column:
    return F.max(F.when(F.col("scope") == scope, F.col("cluster_id"))).alias(scope)


def _in_marked_clusters(near: DataFrame, gallery: _Gallery) -> DataFrame:
    """Return face_id and cosine of the faces whose cluster is near enough to the protected ones on the whole."""
    scope = F.when(F.col("global").isNotNull(), "global").when(F.col("identity").isNotNull(), "identity").otherwise("")
    group = {"scope": scope, "group": F.coalesce("global", "identity", "face_id")}
    grouped = near.withColumns(group).select("face_id", "cosine", *group).persist(StorageLevel.MEMORY_AND_DISK)
    units = F.floor(F.col("cosine").cast("double") * _UNITS)
    sums = grouped.groupBy(*group).agg(F.count("*").alias("faces"), F.sum(units).alias("units"))
    marked = sums.mapInArrow(_marked(gallery), "scope string, group bigint")
    return grouped.join(marked, [*group], how="left_semi").select("face_id", "cosine")


def _nearest(gallery: _Gallery) -> RowBatches:
    def nearest(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for block in blocks_in(rows_of(batches)):
            _, cosines = greatest(block.vectors, gallery.protected)
            yield pa.record_batch([block.ids, cosines], names=["face_id", "cosine"])

    return nearest


def _marked(gallery: _Gallery) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def marked(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            sizes = batch.column("faces").to_numpy()
            means = batch.column("units").to_numpy() / sizes / _UNITS
            enough = means >= cluster_cosine(gallery.cohort.line, len(gallery.protected), sizes)
            yield batch.select(["scope", "group"]).filter(pa.array(enough))

    return marked


def _alike(gallery: _Gallery) -> RowBatches:
    def alike(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        least = quantile(FLOOR, len(gallery.protected))
        for block in blocks_in(rows_of(batches)):
            stays = likeness(block.vectors, gallery.means, gallery.cohort) >= least
            yield pa.record_batch([block.ids[stays]], names=["face_id"])

    return alike

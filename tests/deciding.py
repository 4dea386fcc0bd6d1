"""Hand-made images, faces and clusters as the tables that are decided upon."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pyspark.sql import DataFrame, SparkSession

from facesieve import ids
from facesieve.stages.asides import Asides
from facesieve.stages.decisions import Inputs
from facesieve.tables import (
    CLUSTERS,
    EDGES,
    EMBEDDINGS,
    LISTING,
    REJECTS,
    Clusters,
    Edges,
    Embeddings,
    Listing,
    Rejects,
    Table,
)

MODEL = "test@0"


@dataclass(frozen=True)
class Face:
    """A face, its cluster in each scope (None: no row), and what was doubted about it."""

    vector: tuple[float, ...] = (1.0, 0.0)
    identity: int | None = None
    heap: int | None = None
    doubts: tuple[str, ...] = ()
    rank: int = 0


@dataclass(frozen=True)
class Photo:
    """An image: identity None has none; content None is its own, the empty string was never read."""

    uri: str
    identity: str | None
    faces: tuple[Face, ...] = field(default=(Face(),))
    content: str | None = None
    reject: str | None = None

    @property
    def sha256(self) -> str | None:
        return f"content of {self.uri}" if self.content is None else self.content or None

    @property
    def image_id(self) -> int:
        return ids.image_id(self.uri, self.sha256)

    def face_id(self, face: Face) -> int:
        return ids.face_id(self.image_id, MODEL, face.rank)


def inputs(
    spark: SparkSession,
    photos: Sequence[Photo],
    gone: Sequence[Photo] = (),
    partitions: int = 2,
    edges: Sequence[tuple[object, ...]] = (),
    asides: Asides | None = None,
) -> Inputs:
    """The five tables; the images `gone` have faces and rejects, but stand no longer in the listing."""
    every = [*photos, *gone]

    def made(table: Table, rows: list[tuple[object, ...]]) -> DataFrame:
        return spark.createDataFrame(rows, table.columns).repartition(partitions)

    members = [row for photo in photos for face in photo.faces for row in _memberships(photo, face)]
    listed = [(photo.image_id, photo.uri, photo.identity, 1, None, photo.sha256) for photo in photos]
    rejected = [(p.image_id, p.uri, p.sha256, p.reject, "because", MODEL) for p in every if p.reject]
    return Inputs(
        Listing(made(LISTING, listed)),
        Embeddings(made(EMBEDDINGS, [_embedding(photo, face) for photo in every for face in photo.faces])),
        Rejects(made(REJECTS, rejected)),
        Clusters(made(CLUSTERS, members)),
        Edges(made(EDGES, list(edges))),
        asides or Asides(),
    )


def _embedding(photo: Photo, face: Face) -> tuple[object, ...]:
    known = (photo.face_id(face), photo.image_id, photo.uri, photo.sha256, face.rank)
    vector = list(face.vector)
    return (*known, None, None, None, None, list(face.doubts), vector, MODEL, 100, 100, None, 0)


def _memberships(photo: Photo, face: Face) -> list[tuple[object, ...]]:
    scopes = (("identity", face.identity), ("heap", face.heap))
    return [
        (scope, photo.face_id(face), cluster, 0, 1.0, False, True, False)
        for scope, cluster in scopes
        if cluster is not None
    ]

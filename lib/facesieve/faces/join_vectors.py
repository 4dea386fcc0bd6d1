"""The vectors of some faces."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.core.tables import Embeddings

BROADCAST_FACES = 2_000_000
"""Faces up to which every executor is told them all (some 100 MB), so that nothing larger is shuffled."""


def vectors_of(faces: DataFrame, embeddings: Embeddings) -> DataFrame:
    """Add `vector` to rows with a face_id, null where there is none.

    Spark takes an array for a few bytes and would send all vectors to every executor.
    """
    return faces.join(embeddings.select("face_id", "vector").hint("merge"), on="face_id", how="left")


def vectors_of_few(faces: DataFrame, embeddings: Embeddings) -> DataFrame:
    """Add `vector` to rows with a face_id of `embeddings`, of which there are few beside all: these travel."""
    told = F.broadcast(faces) if faces.count() <= BROADCAST_FACES else faces.hint("merge")
    return embeddings.select("face_id", "vector").join(told, on="face_id", how="inner")

"""Join vectors to faces without sending more than need be."""

from __future__ import annotations

from pyspark.sql import DataFrame

from facesieve.core.frames import broadcast_if_few, count_if_many
from facesieve.core.tables import Embeddings


def vectors_of(faces: DataFrame, embeddings: Embeddings, *further: str) -> DataFrame:
    """Add `vector`, and `further` columns of embeddings, to rows with a face_id: null where there is none.

    Spark takes an array for a few bytes and would send all vectors to every executor.
    """
    return faces.join(embeddings.select("face_id", "vector", *further).hint("merge"), on="face_id", how="left")


def vectors_of_few(faces: DataFrame, embeddings: Embeddings) -> DataFrame:
    """Add `vector` to rows with a face_id of `embeddings`, of which there are few beside all: these travel."""
    few = broadcast_if_few(faces, count_if_many(faces))
    return embeddings.select("face_id", "vector").hint("merge").join(few, on="face_id", how="inner")

"""Images to faces and vectors: every image becomes rows of `embeddings`, or one row of `rejects`, or is unread."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NewType

import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from facesieve.core.frames import many_tasks
from facesieve.core.reasons import Reason
from facesieve.core.tables import EMBEDDINGS, REJECTS, Embeddings, Listing, Rejects, conform
from facesieve.embed.chunks.vectors import Basis, vector_batches
from facesieve.embed.spread import spread
from facesieve.embed.worker import OUTCOMES, Plan, outcome_batches
from facesieve.images.listed_content import with_content
from facesieve.images.protocol import Source, SourceImages
from facesieve.images.vectors.vector_set import VectorSet

ToEmbed = NewType("ToEmbed", DataFrame)
"""One row per image, with the columns of TO_EMBED."""

Outcomes = NewType("Outcomes", DataFrame)
"""One row per face, or per image that gives none: the columns of `embeddings`, with reason and detail (`OUTCOMES`).

Reason and detail are null for a face. They and image_id, uri, sha256, model are all that an image without a face has.
"""

TO_EMBED = T.StructType(
    [
        # Null for an image that is not listed yet: the worker derives the id and sha256 from the content.
        T.StructField("image_id", T.LongType()),
        T.StructField("uri", T.StringType()),
        T.StructField("sha256", T.StringType()),
        T.StructField("size", T.LongType()),
        # Null for an image that the worker fetches.
        T.StructField("content", T.BinaryType()),
    ]
)


def listed_images(listed: Listing, images: Source) -> ToEmbed:
    """Return images of a listing to be embedded, with their content where the source carries it."""
    return ToEmbed(with_content(listed.select("image_id", "uri", "sha256", "size"), images))


def unlisted_images(images: SourceImages) -> ToEmbed:
    """Return images of a source to be hashed and embedded in one read."""
    unknown = (F.lit(None).cast(TO_EMBED[name].dataType).alias(name) for name in ("image_id", "sha256"))
    return ToEmbed(images.select("uri", "size", "content", *unknown))


def embedded(images: ToEmbed, plan: Plan | Basis) -> Outcomes:
    """Spread images over all cores, find and embed their faces, and persist the outcomes.

    Vectors that come without images are scaled in the partitions in which they are.
    """
    if isinstance(plan, Basis):
        return _scaled(images, plan)
    return Outcomes(outcomes(spread(images, plan.archives, many_tasks(images.sparkSession)), plan).persist())


def _scaled(vectors: ToEmbed, basis: Basis) -> Outcomes:
    def worked(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        return vector_batches(batches, basis)

    return Outcomes(vectors.select(*TO_EMBED.names).mapInArrow(worked, OUTCOMES).persist())


def scaled_where_read(vectors: VectorSet, spark: SparkSession, basis: Basis) -> Outcomes:
    """Do as `embedded` with all vectors of array files, none of which is listed, in the processes that read them."""

    def worked(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        return vector_batches(map(_unlisted, batches), basis)

    return Outcomes(vectors.mapped(spark, worked, OUTCOMES).persist())


def _unlisted(batch: pa.RecordBatch) -> pa.RecordBatch:
    none = pa.nulls(batch.num_rows, pa.int64()), pa.nulls(batch.num_rows, pa.string())
    uri, size, content = map(batch.column, ("uri", "size", "content"))
    return pa.RecordBatch.from_arrays([none[0], uri, none[1], size, content], TO_EMBED.names)


def outcomes(images: ToEmbed, plan: Plan) -> Outcomes:
    """Find and embed the faces of images, in the partitions in which they are.

    Raises ModelError, in the task, if the model cannot be used.
    """

    def worked(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        return outcome_batches(batches, plan)

    return Outcomes(images.select(*TO_EMBED.names).mapInArrow(worked, OUTCOMES))


def embeddings(outcome: Outcomes) -> Embeddings:
    """Return the faces of what `outcomes` made."""
    return Embeddings(conform(outcome.where(F.col("reason").isNull()), EMBEDDINGS))


def rejects(outcome: Outcomes) -> Rejects:
    """Return the images without a usable face of what `outcomes` made; those that are unread are no part of it."""
    return Rejects(conform(outcome.where(F.col("reason") != Reason.UNREAD.value), REJECTS))


def is_unread() -> Column:
    """Return a condition on outcomes: the listed content could not be had, by a passing fault or as it has changed."""
    return F.col("reason") == Reason.UNREAD.value

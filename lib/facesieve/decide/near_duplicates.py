"""Near duplicates: images that show one photograph, and which of them is kept.

Two images are near if an edge of the face graph joins a face of the one to a face of the other, near enough, and the
whole of one looks like some view of the other (`perceptual_hash`). Only edges are looked at: no other join over all
pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NewType

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from facesieve.core.frames import columns
from facesieve.core.tables import Edges
from facesieve.decide.kernels.duplicates import leaders, least_difference
from facesieve.embed.perceptual_hash import VIEW_BYTES
from facesieve.faces.edge_frames import both_directions

Candidates = NewType("Candidates", DataFrame)
CANDIDATES = columns(
    "image_id bigint, face_id bigint, uri string, identity string, image_width int, image_height int, "
    "sharpness float, phash binary, preferred boolean"
)
"""The faces of the images up for decision. preferred: a person wants the image kept."""

NearDuplicates = NewType("NearDuplicates", DataFrame)
NEAR_DUPLICATES = columns("image_id bigint, keeper bigint")
"""The images that a better one makes superfluous, and the one that is kept for each."""

_NEAR = columns("image_id bigint, near bigint")

Batches = Iterable[pa.RecordBatch]


def near_duplicates(faces: Candidates, edges: Edges, cosine: float, bits: int) -> NearDuplicates:
    """Find the images that a better one makes superfluous, and the one that is kept for each (`leaders`).

    Near are two images with an edge of at least `cosine` and hashes that differ in at most `bits` bits (a null hash is
    like none), of one identity or one of them without. Better is: preferred, with an identity, more pixels, sharper
    (its sharpest face), the smaller uri (as UTF-8). An image without an identity never replaces one that has one.
    """
    near = _alike(faces, edges, cosine, bits).groupBy("image_id").agg(F.collect_set("near").alias("near"))
    # The walk from the best image to the worst is sequential, so what it needs goes to one task: the ids of the images
    # that are near another and of their neighbours, some 50 bytes a pair.
    ordered = near.join(_images(faces), "image_id", how="inner").repartition(1).sortWithinPartitions(*_best_first())
    return NearDuplicates(ordered.select("image_id", "near").mapInArrow(_followers, NEAR_DUPLICATES))


def _alike(faces: DataFrame, edges: Edges, cosine: float, bits: int) -> DataFrame:
    """Pairs of images (image_id, near) that are near, in both directions; a pair may come more than once."""
    # Views are long and pairs many, so views do not travel: the whole of each end goes to the views of the other.
    views = _end(faces, "face", F.col("phash").alias("views"))
    wholes = _end(faces, "to", F.substring("phash", 1, VIEW_BYTES).alias("whole"))
    near = edges.where(F.col("cosine") >= cosine).select("src", "dst")
    ends = both_directions(near).toDF("face", "to")
    pairs = ends.join(wholes, "to", how="inner").join(views, "face", how="inner")
    return pairs.where(_may_replace()).select("image", "to_image", "views", "whole").mapInArrow(_choice(bits), _NEAR)


def _end(faces: DataFrame, face: str, form: Column) -> DataFrame:
    """One end of an edge, with names of its own: `face` is face or to."""
    prefix = "" if face == "face" else f"{face}_"
    length = F.octet_length("phash")
    return faces.where((length > 0) & (length % VIEW_BYTES == 0)).select(
        F.col("face_id").alias(face),
        F.col("image_id").alias(f"{prefix}image"),
        F.col("identity").alias(f"{prefix}identity"),
        _preferred().alias(f"{prefix}preferred"),
        form,
    )


def _may_replace() -> Column:
    """Whether the better of two images may replace the other, as far as names and preference tell."""
    identity, to_identity = F.col("identity"), F.col("to_identity")
    same_name = F.coalesce(identity == to_identity, F.lit(True))
    # Preference alone could put an image without an identity before one with: then both are kept.
    first = F.col("preferred") & ~F.col("to_preferred") & identity.isNull() & to_identity.isNotNull()
    last = F.col("to_preferred") & ~F.col("preferred") & to_identity.isNull() & identity.isNotNull()
    return (F.col("image") != F.col("to_image")) & same_name & ~first & ~last


def _preferred() -> Column:
    return F.coalesce("preferred", F.lit(False))


def _choice(bits: int) -> Callable[[Batches], Iterator[pa.RecordBatch]]:
    def chosen(batches: Batches) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            near = _differences(batch) <= bits
            left, right = (batch.column(name).to_numpy()[near] for name in ("image", "to_image"))
            both = np.concatenate([left, right]), np.concatenate([right, left])
            yield pa.RecordBatch.from_arrays([pa.array(ids) for ids in both], ["image_id", "near"])

    return chosen


def _differences(batch: pa.RecordBatch) -> npt.NDArray[np.int64]:
    """Bits by which each row's `whole` differs from its `views`, of which rows may have different numbers."""
    views, wholes = (batch.column(name).to_pylist() for name in ("views", "whole"))
    lengths = np.array([len(hashes) for hashes in views], np.int64)
    differences = np.empty(len(views), np.int64)
    for length in np.unique(lengths):
        rows = np.flatnonzero(lengths == length)
        of_views, of_wholes = (
            np.frombuffer(b"".join(hashes[row] for row in rows), np.uint8).reshape(len(rows), -1, VIEW_BYTES)
            for hashes in (views, wholes)
        )
        differences[rows] = least_difference(of_views, of_wholes[:, 0])
    return differences


def _images(faces: DataFrame) -> DataFrame:
    """One row per image with what orders it; every face of an image says the same of it, but for its sharpness."""
    return faces.groupBy("image_id").agg(
        F.max(_preferred()).alias("preferred"),
        F.max(F.col("identity").isNotNull()).alias("named"),
        F.max(F.col("image_width").cast("bigint") * F.col("image_height")).alias("pixels"),
        F.max("sharpness").alias("sharpness"),
        F.min("uri").alias("uri"),
    )


def _best_first() -> list[Column]:
    larger_first = [F.desc_nulls_last(name) for name in ("preferred", "named", "pixels", "sharpness")]
    return [*larger_first, F.asc("uri"), F.asc("image_id")]


def _followers(batches: Batches) -> Iterator[pa.RecordBatch]:
    rows = list(batches)
    if not rows:
        return
    images = np.concatenate([batch.column("image_id").to_numpy() for batch in rows])
    neighbours = pa.concat_arrays([batch.column("near") for batch in rows])
    counts = neighbours.value_lengths().to_numpy(zero_copy_only=False)
    keepers = leaders(images, np.repeat(images, counts), neighbours.flatten().to_numpy())
    follow = keepers != images
    yield pa.RecordBatch.from_arrays([pa.array(images[follow]), pa.array(keepers[follow])], ["image_id", "keeper"])

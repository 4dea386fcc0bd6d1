"""Near duplicates: images that show one photograph, and which of them is kept.

Two images may be copies if an edge of the face graph joins a face of the one to a face of the other, near enough, and
the whole of one looks like some view of the other, or the faces do, or one face mirrored (`perceptual_hash`). Only
edges are looked at: no other join over all pairs, but for images without any such edge (`lone_images`). Whether they
are copies is seen on their pictures (`photographs`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NewType

import numpy as np
import pyarrow as pa
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from facesieve.core import sections
from facesieve.core.frames import batches_of_pictures, checkpointed, columns, has_few_rows
from facesieve.core.tables import Edges
from facesieve.decide.alike_hashes import HashedPairs, alike_pairs
from facesieve.decide.kernels.duplicates import leaders
from facesieve.decide.lone_images import HASHED_IMAGES, HashedImages, NearFaces, pairs_of_lone
from facesieve.decide.photographs import CandidatePairs, ComparedPairs
from facesieve.embed.perceptual_hash import FACE_BYTES, VIEW_BYTES
from facesieve.faces.edge_frames import both_directions

Candidates = NewType("Candidates", DataFrame)
CANDIDATES = columns(
    "image_id bigint, face_id bigint, uri string, identity string, image_width int, image_height int, "
    "sharpness float, phash binary, face_phash binary, turned_phash binary, preferred boolean"
)
"""The faces of the images up for decision. preferred: a person wants the image kept."""

NearDuplicates = NewType("NearDuplicates", DataFrame)
NEAR_DUPLICATES = columns("image_id bigint, leader bigint, copy_confidence double, burst boolean")
"""Images that a better one makes superfluous, the leader, and those that are like others but no copies of them."""

_FOLLOWERS = columns("image_id bigint, leader bigint")
_BY_POLICY = {
    "largest": ("pixels", "sharpness"),
    "sharpest": ("sharpness", "pixels"),
    "first": (),
}
"""What makes one copy better than another, by `decide.copy`; last comes the smaller uri."""

_MOST_TRIED = 4
"""So many of its best candidates, and of its likest, is an image compared with: a film of n frames has n x n pairs."""

Batches = Iterable[pa.RecordBatch]
Compare = Callable[[CandidatePairs], ComparedPairs]


def near_duplicates(faces: Candidates, edges: Edges, settings: sections.Decide, compare: Compare) -> NearDuplicates:
    """Find the images that a better one makes superfluous, and the one that is kept for each (`leaders`).

    Candidates are two images with an edge of at least `decide.near_cosine`, of one identity or one of them without,
    whose pictures differ in at most `decide.near_bits` bits or whose faces in at most `decide.near_face_bits` (a null
    hash is like none). So are an image without any such edge and those of its folder whose pictures differ in as few
    bits, as they stand or turned by quarters. `compare` says which are copies. Better is: preferred, with an identity,
    then what `decide.copy` asks, the smaller uri (as UTF-8). An image without an identity never replaces one with one.
    """
    ranked = checkpointed(_images(faces, settings.copy))
    # Two faces of one folder are there twice, once in each scope.
    near_edges = edges.where(F.col("cosine") >= settings.near_cosine).select("src", "dst").distinct()
    alike = _alike(faces, near_edges, settings).unionByName(_lone(faces, near_edges, settings))
    pairs = checkpointed(_candidate_pairs(alike, ranked))
    with batches_of_pictures(pairs.sparkSession):
        compared = checkpointed(compare(CandidatePairs(pairs)))
    copies = compared.where("copy").select("better", "worse", "confidence")
    both = both_directions(copies.select(F.col("better").alias("src"), F.col("worse").alias("dst")))
    near = both.groupBy(F.col("src").alias("image_id")).agg(F.collect_set("dst").alias("near"))
    # The walk from the best image to the worst is sequential, so what it needs goes to one task: the ids of the images
    # that are near another and of their neighbours, some 50 bytes a pair.
    ordered = near.join(ranked, "image_id", how="inner").repartition(1).sortWithinPartitions("rank")
    followers = checkpointed(ordered.select("image_id", "near").mapInArrow(_followers, _FOLLOWERS))
    shown = copies.select(F.col("worse").alias("image_id"), F.col("better").alias("leader"), "confidence")
    sure = followers.join(shown, on=["image_id", "leader"], how="left")
    return NearDuplicates(_with_bursts(sure.withColumnRenamed("confidence", "copy_confidence"), compared))


def _with_bursts(followers: DataFrame, compared: DataFrame) -> DataFrame:
    """Add the images that are like another which is not their leader, nor follows them or their leader."""
    alike = compared.where("alike AND NOT copy").select("better", "worse")
    for end in ("better", "worse"):
        of_end = followers.select(F.col("image_id").alias(end), F.col("leader").alias(f"{end}_leader"))
        alike = alike.join(of_end, on=end, how="left")
        alike = alike.withColumn(f"{end}_leader", F.coalesce(f"{end}_leader", end))
    apart = alike.where("better_leader <> worse_leader")
    bursts = apart.select(F.explode(F.array("better_leader", "worse_leader")).alias("image_id")).distinct()
    marked = followers.join(bursts.withColumn("burst", F.lit(True)), on="image_id", how="full")
    return marked.withColumn("burst", F.coalesce("burst", F.lit(False))).select(*NEAR_DUPLICATES.names)


def _candidate_pairs(alike: DataFrame, ranked: DataFrame) -> DataFrame:
    """Every pair of images once, by its likest faces; of an image's many pairs with better ones the first few."""
    ranks = ranked.select(F.col("image_id"), "rank")
    for end in ("image", "to_image"):
        alike = alike.join(ranks.toDF(end, f"rank_{end}"), on=end, how="inner")
    ahead = F.col("rank_image") < F.col("rank_to_image")

    def end_of(better: str, worse: str) -> Column:
        return F.when(ahead, F.col(better)).otherwise(F.col(worse))

    ends = end_of("face", "to").alias("better_face"), end_of("to", "face").alias("worse_face")
    turn = F.when(ahead, F.col("turn")).otherwise((F.lit(4) - F.col("turn")) % 4)
    pairs = alike.select(
        end_of("image", "to_image").alias("better"),
        end_of("to_image", "image").alias("worse"),
        end_of("rank_image", "rank_to_image").alias("rank"),
        F.struct("lone", "difference", *ends, "mirrored", turn.alias("turn")).alias("faces"),
    )
    likest = pairs.groupBy("better", "worse").agg(F.min("rank").alias("rank"), F.min("faces").alias("faces"))
    best = F.row_number().over(Window.partitionBy("worse").orderBy("rank"))
    most_alike = F.row_number().over(Window.partitionBy("worse").orderBy("faces.difference", "rank"))
    tried = likest.withColumns({"best": best, "most_alike": most_alike})
    few = tried.where((F.col("best") <= _MOST_TRIED) | (F.col("most_alike") <= _MOST_TRIED))
    return few.select("better", "worse", "faces.better_face", "faces.worse_face", "faces.mirrored", "faces.turn")


def _alike(faces: DataFrame, near: DataFrame, settings: sections.Decide) -> DataFrame:
    """Pairs of faces of different images whose hashes are alike; a pair may come more than once."""
    # Views are long and pairs many, so views do not travel: the whole of each end goes to the views of the other.
    views = _end(faces, "face", {"views": F.col("phash"), "face_views": F.col("face_phash")})
    whole, face_whole = (F.substring(name, 1, VIEW_BYTES) for name in ("phash", "face_phash"))
    mirrored = F.substring("face_phash", FACE_BYTES - VIEW_BYTES + 1, VIEW_BYTES)
    wholes = _end(faces, "to", {"whole": whole, "face_whole": face_whole, "face_mirrored": mirrored})
    ends = both_directions(near).toDF("face", "to")
    pairs = ends.join(_looked_up(wholes), "to", how="inner").join(_looked_up(views), "face", how="inner")
    chosen = alike_pairs(HashedPairs(pairs.where(_may_replace())), settings.near_bits, settings.near_face_bits)
    return chosen.select("*", F.lit(False).alias("lone"), F.lit(0).alias("turn"))


def _looked_up(faces: DataFrame) -> DataFrame:
    """Let the many ends of edges be looked up among the faces of a partition, where few are not sent to all tasks.

    To sort the ends would take longer. A face comes once, so no part of a table of faces grows large.
    """
    return faces if has_few_rows(faces.sparkSession) else faces.hint("shuffle_hash")


def _lone(faces: DataFrame, near: DataFrame, settings: sections.Decide) -> DataFrame:
    """Pairs of lone images with those that their pictures are like, as `_alike` gives them."""
    ends = NearFaces(near.select(F.explode(F.array("src", "dst")).alias("face_id")))
    pairs = pairs_of_lone(HashedImages(_hashed(faces).select(*HASHED_IMAGES.names)), ends, settings.near_bits)
    return pairs.select("*", F.lit(False).alias("mirrored"), F.lit(True).alias("lone"))


def _hashed(faces: DataFrame) -> DataFrame:
    length = F.octet_length("phash")
    return faces.where((length > 0) & (length % VIEW_BYTES == 0))


def _end(faces: DataFrame, face: str, forms: dict[str, Column]) -> DataFrame:
    """One end of an edge, with names of its own: `face` is face or to."""
    prefix = "" if face == "face" else f"{face}_"
    return _hashed(faces).select(
        F.col("face_id").alias(face),
        F.col("image_id").alias(f"{prefix}image"),
        F.col("identity").alias(f"{prefix}identity"),
        _preferred().alias(f"{prefix}preferred"),
        *(form.alias(name) for name, form in forms.items()),
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


def _images(faces: DataFrame, policy: str) -> DataFrame:
    """One row per image with its rank, the best first; the faces of an image differ in sharpness alone."""
    images = faces.groupBy("image_id").agg(
        F.max(_preferred()).alias("preferred"),
        F.max(F.col("identity").isNotNull()).alias("named"),
        F.max(F.col("image_width").cast("bigint") * F.col("image_height")).alias("pixels"),
        F.max("sharpness").alias("sharpness"),
        F.min("uri").alias("uri"),
    )
    larger_first = ["preferred", "named", *_BY_POLICY[policy]]
    # A rank would need all images in one place: a struct of what orders them is compared instead.
    order = [F.struct(F.col(name).isNull(), -F.col(name).cast("double")) for name in larger_first]
    rank = F.struct(
        *(part.alias(f"by_{place}") for place, part in enumerate([*order, F.col("uri"), F.col("image_id")]))
    )
    return images.select("image_id", rank.alias("rank"))


def _followers(batches: Batches) -> Iterator[pa.RecordBatch]:
    rows = list(batches)
    if not rows:
        return
    images = np.concatenate([batch.column("image_id").to_numpy() for batch in rows])
    neighbours = pa.concat_arrays([batch.column("near") for batch in rows])
    counts = neighbours.value_lengths().to_numpy(zero_copy_only=False)
    keepers = leaders(images, np.repeat(images, counts), neighbours.flatten().to_numpy())
    follow = keepers != images
    yield pa.RecordBatch.from_arrays([pa.array(images[follow]), pa.array(keepers[follow])], _FOLLOWERS.names)

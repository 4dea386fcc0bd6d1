"""Folders that seem one person: their main clusters meet in the scope `global`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from facesieve.core import sections
from facesieve.core.frames import columns
from facesieve.core.tables import IDENTITY_LINKS, Embeddings, IdentityLinks, conform
from facesieve.decide.cluster_owners import LEAST_CORE
from facesieve.decide.confidence import of_link
from facesieve.decide.evidence import SpeakingFaces
from facesieve.decide.kernels.membership import Scale, likeness
from facesieve.faces.arrow_groups import as_matrix, as_numpy, each_group
from facesieve.faces.join_vectors import vectors_of_few

MERGED_FROM = 0.9
"""Confidence from which `decide.merge_identities` makes two folders one."""

_LEAST_SHARED = 2
"""Images of a folder in a cluster from which it counts as shared: a person whom the clusters have in parts is found by
any of them, and one image may be there by chance."""
_MOST_FACES = 512
"""Faces by which a folder is compared, those of the smallest ids: more change a mean no more."""
_COMPARED = columns("smaller string, cosine float, ratio float")


def identity_links(
    speaking: SpeakingFaces, embeddings: Embeddings, scale: Scale | None, settings: sections.Decide
) -> IdentityLinks:
    """Propose every folder as the same person as the folder that has more images in a cluster of both.

    identity_a has more images there, identity_b stands so in one row only. cosine is the mean of the pairs across the
    two main clusters. share is that of identity_b's images which are in the common cluster. confidence is
    `confidence.of_link`, null where the profile lacks what it needs. merged: `decide.merge_identities` asks for it, the
    confidence suffices, identity_b has no second cluster of `decide.min_faces` that might be its own person, and
    identity_a does not go into another folder itself.
    """
    mains = speaking.where(F.col("main") & F.col("counted") & F.col("identity").isNotNull())
    pairs = _pairs(mains, settings)
    faces = _few(mains, pairs, embeddings)
    sides = [_side(pairs, faces, "larger"), _side(pairs, faces, "smaller")]
    ordered = sides[0].unionByName(sides[1]).repartition("smaller").sortWithinPartitions("smaller", "face_id")

    def compared(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for rows in each_group(batches, "smaller"):
            yield _compared(rows, scale)

    alike = ordered.mapInArrow(compared, _COMPARED)
    confidence = of_link(F.col("ratio")).cast("float")
    proposed = pairs.join(alike, on="smaller", how="inner").withColumn("confidence", confidence)
    links = _merged(proposed, settings.merge_identities).withColumnsRenamed(
        {"larger": "identity_a", "smaller": "identity_b"}
    )
    return IdentityLinks(conform(links, IDENTITY_LINKS))


def _merged(pairs: DataFrame, asked: bool) -> DataFrame:
    """Say which folders are merged: never one into a folder that goes into a third, nor two into each other."""
    sure = F.coalesce(F.col("confidence") >= MERGED_FROM, F.lit(False))
    able = pairs.withColumn("able", F.lit(asked) & F.col("alone") & sure)
    going = able.where("able").select(F.col("smaller").alias("larger"), F.lit(True).alias("going"))
    onward = F.coalesce("going", F.lit(False))
    return able.join(going, on="larger", how="left").withColumn("merged", F.col("able") & ~onward)


def _pairs(mains: DataFrame, settings: sections.Decide) -> DataFrame:
    """Whom each folder is proposed with: smaller (once), larger, share, and alone (no second person in the smaller).

    The larger of a cluster is the folder with most images in it, the first by name of equal ones. Of several larger
    folders the smaller takes that of the cluster in which it has most images.
    """
    shared = (
        mains.where(F.col("in_global").isNotNull())
        .groupBy("identity", "in_global")
        .agg(
            F.count_distinct("image_id").alias("images"),
            *(F.max(name).alias(name) for name in ("largest", "runner_up", "folder_size")),
        )
    )
    able = shared.where((F.col("images") >= _LEAST_SHARED) & (F.col("largest") >= LEAST_CORE))
    first = F.min(F.struct(-F.col("images"), F.col("identity"))).over(Window.partitionBy("in_global"))
    smaller = able.withColumn("larger", first["identity"]).where("larger <> identity")
    most = Window.partitionBy("identity").orderBy(F.desc("images"), "in_global")
    return (
        smaller.withColumn("number", F.row_number().over(most))
        .where("number = 1")
        .select(
            F.col("identity").alias("smaller"),
            "larger",
            (F.col("images") / F.col("folder_size")).cast("float").alias("share"),
            (F.col("runner_up") < settings.min_faces).alias("alone"),
        )
    )


def _few(mains: DataFrame, pairs: DataFrame, embeddings: Embeddings) -> DataFrame:
    """The first faces of the main cluster of each folder in a pair, with their vectors."""
    ends = pairs.select(F.explode(F.array("larger", "smaller")).alias("identity")).distinct()
    smallest = Window.partitionBy("identity").orderBy("face_id")
    ours = mains.select("identity", "face_id").join(ends, on="identity", how="left_semi")
    few = ours.withColumn("number", F.row_number().over(smallest)).where(F.col("number") <= _MOST_FACES)
    return vectors_of_few(few, embeddings)


def _side(pairs: DataFrame, faces: DataFrame, side: str) -> DataFrame:
    """The faces of the one or the other folder of each pair, which the smaller names."""
    named = pairs.select("smaller", F.col(side).alias("identity"))
    return faces.join(named, on="identity", how="inner").select(
        "smaller", "face_id", "vector", F.lit(side == "larger").alias("of_larger")
    )


def _compared(rows: pa.Table, scale: Scale | None) -> pa.RecordBatch:
    larger = as_numpy(rows["of_larger"]).astype(np.bool_)
    ids, vectors = as_numpy(rows["face_id"]), as_matrix(rows["vector"])
    # Without a line the cosine alone counts: it does not depend on what it is compared with.
    alike = likeness((ids[larger], ids[~larger]), (vectors[larger], vectors[~larger]), scale or Scale(0.0, 1.0, 1.0))
    return pa.record_batch(
        {
            "smaller": rows["smaller"].slice(0, 1).combine_chunks(),
            "cosine": pa.array([alike.cosine], pa.float32()),
            "ratio": pa.array([alike.ratio if scale else None], pa.float32()),
        }
    )

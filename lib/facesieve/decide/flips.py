"""Flips: images in the wrong folder. Their cluster of the scope `global` is the main cluster of another folder.

A flip that is clear is moved. What `quarantine flip` means: it is in doubt which of two folders is right. Of folder
ann, where bob owns cluster 7 and ann cluster 3:

    image  cluster  membership: ann  bob  flip confidence  verdict
    ann/1        3              4.5                        keep: no suspect
    ann/2        7              0.3  4.4             0.99  move flip to bob
    ann/3        7              0.3  3.1             0.55  quarantine flip: bob is likely, but not clear (0.7)
    ann/4        7              3.6  4.2             0.90  quarantine flip: it must be nearer to bob by 1.0
    ann/5        7              4.1  2.0             0.05  what the keep policy says, if that keeps it: ann is nearer
    ann/6        8              0.2                        drop outlier: nobody owns cluster 8
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NewType

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from facesieve.core.frames import checkpointed, columns
from facesieve.core.tables import Embeddings
from facesieve.decide import confidence
from facesieve.decide.cluster_owners import ClusterOwners, is_core
from facesieve.decide.evidence import Speakers, SpeakingFaces, nearest_of_others
from facesieve.decide.inputs import Basis, Inputs
from facesieve.decide.kernels.membership import Scale, membership
from facesieve.decide.kernels.nearest import nearest
from facesieve.faces.arrow_groups import as_matrix, as_numpy, each_group
from facesieve.faces.join_vectors import vectors_of_few

_COMPARED = columns("face_id bigint, target string, target_membership float, target_face bigint, target_cosine float")
Suspects = NewType("Suspects", DataFrame)
SUSPECTS = T.StructType([*_COMPARED, *columns("target_other_cosine float, flip_confidence double")])
"""The faces that may be another folder's, the target. target_membership: the score for the target's core; null where
unknown. target_face, target_cosine: the core face that is nearest. target_other_cosine: of the nearest core face of
people other than the target."""


def flips(faces: SpeakingFaces, owners: ClusterOwners, inputs: Inputs, basis: Basis) -> Suspects:
    """Find the faces that may be another folder's, and how sure that is."""
    scale = basis.scale or Scale(0.0, 1.0, 1.0)
    targets = owners.where(F.col("largest") >= basis.settings.min_faces)
    suspects = checkpointed(_compared_with(_suspected(faces, targets), faces, inputs.embeddings, basis.scale))
    asked = suspects.select("face_id", F.col("target").alias("people"), F.lit(True).alias("moved"))
    core = faces.where(is_core()).select("face_id", F.col("identity").alias("people"), F.lit(False).alias("moved"))
    others = nearest_of_others(inputs.edges, Speakers(asked), Speakers(core))
    # Without an edge to them all other people are below the link cosine, which is about that of the weakest edge.
    weakest = inputs.edges.where("scope = 'global'").agg(F.min("cosine")).collect()[0][0]
    below = F.lit(scale.intercept if weakest is None else weakest).cast("float")
    compared = suspects.join(others, on="face_id", how="left").withColumn(
        "target_other_cosine", F.coalesce("other_cosine", below)
    )
    return Suspects(compared.withColumn("flip_confidence", confidence.of_flip(scale.slope)).select(*SUSPECTS.names))


def _suspected(faces: SpeakingFaces, owners: DataFrame) -> DataFrame:
    """Undecided faces in another folder's main cluster: face_id, target."""
    elsewhere = F.col("identity").isNotNull() & ~F.col("in_global").eqNullSafe(F.col("main_global"))
    suspects = faces.where(elsewhere & F.col("undecided") & F.col("in_global").isNotNull())
    owned = owners.select(F.col("cluster_id").alias("in_global"), F.col("owner").alias("target"))
    joined = suspects.select("face_id", "identity", "in_global").join(owned, on="in_global", how="inner")
    return joined.where("target <> identity").select("face_id", "target")


def _compared_with(suspects: DataFrame, faces: SpeakingFaces, embeddings: Embeddings, scale: Scale | None) -> DataFrame:
    """Compare the suspects of each target with the target's core."""
    targets = suspects.select(F.col("target").alias("identity")).distinct()
    cores = faces.where(is_core()).join(targets, on="identity", how="left_semi")
    offered = cores.select("face_id", F.col("identity").alias("target"), F.lit(False).alias("suspect"))
    both = suspects.withColumn("suspect", F.lit(True)).unionByName(offered)
    ordered = (
        vectors_of_few(both, embeddings).repartition("target").sortWithinPartitions("target", "face_id", "suspect")
    )

    def compared(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for rows in each_group(batches, "target"):
            yield from _compared(rows, scale).to_batches()

    return ordered.mapInArrow(compared, _COMPARED)


def _compared(rows: pa.Table, scale: Scale | None) -> pa.Table:
    """Compare the suspects of one target with its core faces."""
    ids, vectors = as_numpy(rows["face_id"]), as_matrix(rows["vector"])
    suspect = as_numpy(rows["suspect"]).astype(np.bool_)
    row, cosine = nearest(ids, vectors, ~suspect)
    score: Any = np.full(len(ids), np.nan, np.float32)
    if scale is not None:
        score = membership(ids, vectors, ~suspect, scale)
    asked = np.flatnonzero(suspect)
    return pa.table(
        {
            "face_id": ids[asked],
            "target": rows["target"].take(asked),
            "target_membership": pa.array(score[asked], pa.float32(), mask=np.isnan(score[asked])),
            "target_face": pa.array(ids[row[asked]], pa.int64(), mask=row[asked] < 0),
            "target_cosine": pa.array(cosine[asked], pa.float32(), mask=row[asked] < 0),
        }
    )

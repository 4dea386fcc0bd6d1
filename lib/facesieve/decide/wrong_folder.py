"""Images in the wrong folder: their heap cluster is another folder's home."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.core.tables import Embeddings
from facesieve.decide.cluster_owners import cores
from facesieve.decide.kernels.membership import Scale, belonging
from facesieve.decide.kernels.nearest import nearest
from facesieve.faces.arrow_groups import as_matrix, as_numpy, each_group
from facesieve.faces.join_vectors import vectors_of_few

_FOUND = "face_id bigint, target string, to_belonging float, to_face bigint, to_cosine float"


def flips(
    told: DataFrame, claimed: DataFrame, embeddings: Embeddings, min_faces: int, scale: Scale | None
) -> DataFrame:
    """Return one row per face that may be another folder's.

    `told`: what `evidence.with_evidence` made; `claimed`: what `claims.claims` made. Columns: face_id, target (the
    folder whose home the face's heap cluster is, of at least `min_faces` images), to_belonging (to the target's core;
    null where unknown), to_face and to_cosine (the core face that is nearest).
    """
    owners = claimed.where((F.col("claimer") == F.col("owner")) & (F.col("largest") >= min_faces))
    owned = owners.select(F.col("home").alias("in_global"), F.col("owner").alias("target"))
    abroad = F.col("identity").isNotNull() & ~F.col("in_global").eqNullSafe(F.col("home"))
    undecided = F.col("reason").isNull() & F.col("in_global").isNotNull()
    suspects = told.where(abroad & undecided).select("face_id", "identity", "in_global")
    asked = suspects.join(owned, on="in_global", how="inner").where("target <> identity").select("face_id", "target")
    targets = asked.select(F.col("target").alias("identity")).distinct()
    offered = cores(told, targets).select("face_id", F.col("identity").alias("target"), F.lit(False).alias("asked"))
    both = asked.withColumn("asked", F.lit(True)).unionByName(offered)
    seen = vectors_of_few(both, embeddings)
    ordered = seen.repartition("target").sortWithinPartitions("target", "face_id", "asked")

    def compared(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for rows in each_group(batches, "target"):
            yield from _compared(rows, scale).to_batches()

    return ordered.mapInArrow(compared, _FOUND)


def _compared(rows: pa.Table, scale: Scale | None) -> pa.Table:
    """Compare the suspects of one target with its core faces."""
    ids, vectors, suspect = (
        as_numpy(rows["face_id"]),
        as_matrix(rows["vector"]),
        as_numpy(rows["asked"]).astype(np.bool_),
    )
    row, cosine = nearest(ids, vectors, ~suspect)
    belongs: Any = np.full(len(ids), np.nan, np.float32)
    if scale is not None:
        belongs = belonging(ids, vectors, ~suspect, scale)
    asked = np.flatnonzero(suspect)
    return pa.table(
        {
            "face_id": ids[asked],
            "target": rows["target"].take(asked),
            "to_belonging": pa.array(belongs[asked], pa.float32(), mask=np.isnan(belongs[asked])),
            "to_face": pa.array(ids[row[asked]], pa.int64(), mask=row[asked] < 0),
            "to_cosine": pa.array(cosine[asked], pa.float32(), mask=row[asked] < 0),
        }
    )

"""What is to be published: the faces of the images that are kept or moved, and the identity that each ends with."""

from __future__ import annotations

from typing import NewType

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.core.frames import columns
from facesieve.core.reasons import is_published
from facesieve.core.tables import Decisions
from facesieve.publish.per_face import NamelessFaces

_CLUSTER = "cluster-"
"""What the name of a cluster without a name begins with."""

Wanted = NewType("Wanted", DataFrame)
WANTED = columns("image_id bigint, face_id bigint, uri string, identity string, cluster bigint")
"""One row per face to be published. cluster: the id of its cluster where that has no name, else null."""


def wanted(decisions: Decisions, nameless: NamelessFaces | None = None) -> Wanted:
    """Return the faces to be published: the face that speaks for each kept or moved image, and the `nameless`.

    identity is where the image was moved to, else its own, else `cluster-<cluster_id>`. A folder of the input that is
    called so keeps its name, and the cluster's gets a `~`.

        identity     moved_to    cluster_id        identity       cluster
        Ann          null                12        Ann            null
        Ann          Bob                 12        Bob            null
        null         null                 7        cluster-7      7
        null         null                12  ->    cluster-12~    12
        null         cluster-7            3        cluster-7      null (one of cluster 7 by the next step)
        cluster-12   null                 4        cluster-12     null
    """
    speaking = decisions.where(is_published(F.col("verdict"))).select(
        "image_id", "face_id", "uri", F.coalesce("moved_to", "identity").alias("named"), "cluster_id"
    )
    faces = speaking
    if nameless is not None:
        further = nameless.join(speaking, ["image_id", "face_id"], how="left_anti")
        name = F.lit(None).cast("string").alias("named")
        faces = speaking.unionByName(further.select("image_id", "face_id", "uri", name, "cluster_id"))
    return Wanted(_with_identity(faces, decisions).select(*WANTED.names))


def _with_identity(faces: DataFrame, decisions: Decisions) -> DataFrame:
    folders = decisions.where(F.col("identity").startswith(_CLUSTER)).select(
        F.regexp_replace("identity", r"~+\z", "").alias("cluster_name"), F.length("identity").alias("length")
    )
    taken = folders.groupBy("cluster_name").agg(F.expr("max(length - length(cluster_name)) + 1").alias("marks"))
    nameless = F.col("named").isNull()
    cluster_name = F.when(nameless, F.concat(F.lit(_CLUSTER), F.col("cluster_id").cast("string")))
    marked = F.expr("concat(cluster_name, repeat('~', coalesce(marks, 0)))")
    joined = faces.withColumn("cluster_name", cluster_name).join(F.broadcast(taken), "cluster_name", how="left")
    cluster = F.when(nameless, F.col("cluster_id"))
    return joined.withColumns({"identity": F.coalesce("named", marked), "cluster": cluster})

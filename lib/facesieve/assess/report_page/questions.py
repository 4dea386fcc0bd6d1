"""What a person may be asked, as rows: questions about images, alike ones as one question, worth most first.

The worth of a look is the number of images that are expected to be wrong: the probability that the decision is wrong,
times the images that follow the answer.

Example: folder a with a second cluster 8 of two dropped images, a doubtful kept image, and two sure outliers.

    image verdict wrong mode   question                     images  wrong  worth
        1 drop     0.05    8   two_modes, folder a, mode 8       2   0.05   0.10
        2 drop     0.05    8
        3 keep     0.30    7   outlier, image 3                  1   0.30   0.30: first
        4 drop     0.05    -   outlier, folder a, sure           2   0.05   0.10
        5 drop     0.05    -
"""

from __future__ import annotations

from typing import NewType

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.window import WindowSpec

from facesieve.assess.report_page.looked_at import LookedAt
from facesieve.core.frames import columns
from facesieve.core.reasons import Reason, Verdict

Questions = NewType("Questions", DataFrame)
"""QUESTIONS, and `first`: the row of `LOOKED_AT` of the most doubtful image; `images`: image_id and face_id of few."""

QUESTIONS = columns("question string, kind string, effect bigint, wrong double, worth double")

SHOWN = 12
"""Images of a question that are shown."""
SURE = 0.1
"""Images whose decision is less likely wrong than this are asked about together, folder by folder."""
DOUBTED = 0.05
"""A kept image is asked about from this probability on that its folder shows somebody else."""

_FIRST = (
    *("image_id", "face_id", "identity", "mode", "cluster", "moved_to", "kept_image_id", "nearest_face"),
    *("verdict", "reasons", "confidence", "cosine", "margin", "share"),
)


def questions(images: LookedAt) -> Questions:
    """Ask about every image that is not kept, or whose keeping is in doubt, and on which no person has ruled."""
    doubtful = (F.col("verdict") != Verdict.KEEP.value) | (F.col("wrong") >= DOUBTED)
    asked = images.where(doubtful & ~F.col("judged"))
    in_folder = F.col("identity").isNotNull() & F.col("mode").isNotNull() & (F.col("verdict") != Verdict.KEEP.value)
    # An image that is in no folder is alone, and so are its rows in the partition.
    alone = F.when(~in_folder, F.col("image_id"))
    alike = Window.partitionBy("kind", "identity", "mode", alone)
    several = asked.withColumn("several", in_folder & (F.count("*").over(alike) > 1))
    named = several.withColumns({"question": _question(), "kind": _kind()})
    ranked = named.withColumn("place", F.row_number().over(_most_doubtful()))
    few = F.when(F.col("place") <= SHOWN, F.struct("place", "image_id", "face_id"))
    first = F.min_by(F.struct(*_FIRST), "place").alias("first")
    grouped = ranked.groupBy("question", "kind").agg(
        F.count("*").alias("effect"),
        F.avg("wrong").alias("wrong"),
        first,
        F.array_sort(F.collect_list(few)).alias("images"),
    )
    worth = F.col("wrong") * F.col("effect")
    return Questions(grouped.withColumn("worth", worth).where("worth > 0"))


def _most_doubtful() -> WindowSpec:
    return Window.partitionBy("question", "kind").orderBy(F.desc("wrong"), "image_id")


def _kind() -> Column:
    second = F.col("several") & ~F.col("main") & F.col("kind").isin("outlier", "quarantine")
    return F.when(second, "two_modes").otherwise(F.col("kind"))


def _question() -> Column:
    """The key under which images are asked about together; of most images it is their own."""
    image, folder = F.col("image_id").cast("string"), F.col("identity")
    two_folders = F.array_contains("reasons", Reason.TWO_IDENTITIES.value) & F.col("sha256").isNotNull()
    sure = (F.col("wrong") < SURE) & folder.isNotNull() & (F.col("verdict") != Verdict.KEEP.value)
    copy_of = F.col("kept_image_id").cast("string")
    return (
        F.when(F.col("kind") == "reject", _key("reject", F.get("reasons", F.lit(0)), folder))
        .when((F.col("kind") == "duplicate") & copy_of.isNotNull(), _key("copy", copy_of))
        .when(two_folders, _key("bytes", F.col("sha256")))
        .when(F.col("several"), _key("mode", folder, F.col("mode"), F.col("moved_to")))
        .when(sure, _key("sure", folder, F.col("moved_to")))
        .otherwise(_key("image", image))
    )


def _key(name: str, *parts: Column) -> Column:
    """Join what a key is made of; a part that is absent is told from an empty one."""
    texts = (F.coalesce(F.concat(F.lit("="), part.cast("string")), F.lit("")) for part in parts)
    return F.concat_ws("\0", F.lit(name), *texts)

"""A number from 0 for each sample of a split, and the shard that holds it: the same in every run, whatever the order
of rows.

No task sees all rows. Samples are counted by block, of which there are few; a block's samples are then numbered from
where its predecessors end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NewType

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from facesieve.core.frames import columns
from facesieve.core.sections import Publish
from facesieve.core.tables import Cleaned
from facesieve.publish.splits import TRAIN, split_of

Numbered = NewType("Numbered", DataFrame)
NUMBERED = columns(
    "split string, number bigint, shard bigint, leads boolean, label int, identity string, image_id bigint, "
    "face_id bigint, uri string, sha256 string"
)
"""Published faces with the sample that shows them. leads: the face by which the sample is written, one of each sample.

    split  number  shard  leads  label  image_id  face_id
    train       0      0  true       3        17      171
    train       0      0  false      3        17      172     (a second face of the same person on it)
    train       1      0  true       5        17      173
"""

_BLOCK_DIGITS = 2
"""Hex digits that samples have in common which are numbered by one task: 256 blocks."""


@dataclass(frozen=True)
class Layout:
    """How samples are divided, ordered and cut into shards. by_face: a sample for each face, not for each image."""

    split: Column | None
    by_label: bool
    shard_images: int
    by_face: bool

    @classmethod
    def of(cls, settings: Publish) -> Layout:
        """Return the layout that the configuration asks for."""
        return cls(split_of(settings), settings.order == "label", settings.shard_images, settings.crop)


def numbered(cleaned: Cleaned, layout: Layout) -> Numbered:
    """Number the samples of each split: by the SHA-256 of their ids, or by label and then so."""
    sample = F.col("face_id") if layout.by_face else F.col("label").cast("bigint")
    key = F.sha2(F.concat_ws("/", "image_id", sample).cast("binary"), 256)
    split = F.lit(TRAIN) if layout.split is None else layout.split
    faces = cleaned.withColumns({"split": split, "key": key})
    by_hash = F.conv(F.substring("key", 1, _BLOCK_DIGITS), 16, 10).cast("int")
    rows = faces.withColumn("block", F.col("label") if layout.by_label else by_hash)
    block = Window.partitionBy("split", "block")
    place = F.dense_rank().over(block.orderBy("key")) - 1
    leads = F.row_number().over(Window.partitionBy("split", "block", "key").orderBy("face_id")) == 1
    within = rows.withColumns({"place": place, "leads": leads})
    number = (F.col("before") + F.col("place")).alias("number")
    joined = within.join(_before(rows), ["split", "block"], how="inner").withColumn("number", number)
    shard = F.expr(f"number div {layout.shard_images}")
    return Numbered(joined.withColumn("shard", shard).select(*NUMBERED.names))


def _before(rows: DataFrame) -> DataFrame:
    """How many samples of the split stand before a block: split, block, before."""
    sizes = rows.groupBy("split", "block").agg(F.count_distinct("key").alias("size"))
    earlier = Window.partitionBy("split").orderBy("block").rowsBetween(Window.unboundedPreceding, -1)
    return sizes.select("split", "block", F.coalesce(F.sum("size").over(earlier), F.lit(0)).alias("before"))

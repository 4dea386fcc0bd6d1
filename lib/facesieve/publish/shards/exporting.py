"""What the exports of shards have in common: samples numbered and written, a manifest, labels, and a check of both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pyspark.sql import Column
from pyspark.sql import functions as F

from facesieve.core.tables import Cleaned
from facesieve.images.storage import Storage
from facesieve.publish.exports import Lines, write_csv
from facesieve.publish.pictures import Pictures
from facesieve.publish.shards.numbering import Layout, Numbered, numbered
from facesieve.publish.shards.writing import Form, Samples, write_shards

MANIFEST = ("path", "number", "split", "uri", "identity", "label", "image_id", "face_id", "sha256")
"""The columns of manifest.csv: one row per row of the table. path: the file, relative to the manifest."""


@dataclass(frozen=True)
class Export:
    """What an export of shards is made from. edition: what `_SUCCESS` says.

    suffix, size: of pictures that are cut out, size in pixels (height, width); empty where they are the image files.
    """

    cleaned: Cleaned
    pictures: Pictures
    layout: Layout
    edition: str = ""
    suffix: str = ""
    size: tuple[int, ...] = ()

    def numbered(self) -> Numbered:
        """Number all samples, once: whoever asks lets go of the rows with `unpersist`."""
        return Numbered(numbered(self.cleaned, self.layout).persist())

    def shards(self, rows: Numbered) -> dict[str, int]:
        """Return how many shards each split has."""
        counts = rows.groupBy("split").agg((F.max("shard") + 1).alias("shards")).collect()
        return {row.split: row.shards for row in counts}


def write_samples(rows: Numbered, path: Column, export: Export, form: Form, folder: Storage) -> int:
    """Write each sample into the shard that `path` names; return how many there are."""
    samples = Samples(rows.where("leads").drop("leads").withColumn("path", path))
    return write_shards(samples, export.pictures, form, folder)


def write_manifest(rows: Numbered, path: Column, folder: Storage) -> int:
    """Write manifest.csv; return its rows."""
    return write_csv(Lines(rows.withColumn("path", path)), folder, "manifest.csv", MANIFEST)


def by_split(names: Mapping[str, Column]) -> Column:
    """Return the column that is, for the rows of a split, the column of that name."""
    return F.coalesce(*(F.when(F.col("split") == split, name) for split, name in names.items()), F.lit(None))

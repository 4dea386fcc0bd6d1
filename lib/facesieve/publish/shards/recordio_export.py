"""The export `recordio`: images and labels in one file of records for each split, as MXNet's im2rec packs them."""

from __future__ import annotations

from pyspark.sql import functions as F

from facesieve.core.errors import ContractError
from facesieve.images.storage import Storage
from facesieve.publish.exports import Lines, cleared, complete, write_list
from facesieve.publish.shards.exporting import Export, write_manifest, write_samples
from facesieve.publish.shards.joined_records import join_records
from facesieve.publish.shards.numbering import Numbered
from facesieve.publish.shards.records import LARGEST_LABEL, RecordForm
from facesieve.publish.splits import TRAIN

_PARTS = "_parts"


def export_recordio(export: Export, target: Storage) -> int:
    """Write the images below `target` (the run's folder) as recordio/train.rec; return the rows of the table.

    Beside it stand train.idx (number, offset) and train.lst (number, label, uri), both set apart by tabs. With splits
    there are validation and test as well. With them come manifest.csv and _SUCCESS, and for faces that are cut out the
    file property of InsightFace: number of people, height, width. Raises ContractError if files vanished or changed, or
    if there are more labels than a record can tell.
    """
    folder = cleared(target, "recordio")
    rows = export.numbered()
    people = _people(rows)
    path = F.concat(F.col("split"), F.format_string("-%06d.rec", "shard"))
    parts = folder.child(_PARTS)
    write_samples(rows, path, export, RecordForm(parts), parts)
    shards = export.shards(rows) or {TRAIN: 0}
    join_records(rows.sparkSession, shards, parts, folder)
    for split in shards:
        _write_list(rows, split, folder)
    folder.delete_tree(_PARTS)
    if export.size:
        folder.write("property", ",".join(map(str, (people, *export.size))).encode("ascii"))
    written = write_manifest(rows, F.concat("split", F.lit(".rec")), folder)
    rows.unpersist()
    complete(folder, export.edition)
    return written


def _write_list(rows: Numbered, split: str, folder: Storage) -> None:
    samples = rows.where(F.col("leads") & (F.col("split") == split))
    listed = samples.select("number", F.format_string("%f", F.col("label").cast("double")).alias("label"), "uri")
    write_list(Lines(listed), folder, f"{split}.lst", ("number", "label", "uri"))


def _people(rows: Numbered) -> int:
    """Return how many labels there are."""
    largest = rows.agg(F.max("label").alias("label")).collect()[0].label
    if largest is not None and largest > LARGEST_LABEL:
        raise ContractError(
            f"recordio holds labels as float32, exact up to {LARGEST_LABEL}, but there are labels up to {largest}; "
            "use webdataset, huggingface or parquet"
        )
    return 0 if largest is None else int(largest) + 1

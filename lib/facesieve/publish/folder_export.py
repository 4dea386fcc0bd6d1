"""The export `folders`: the image files, a folder for each identity, and a manifest."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pyarrow as pa
from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as F

from facesieve.core.errors import ContractError
from facesieve.core.tables import Cleaned
from facesieve.images.listed_content import listed_content
from facesieve.images.protocol import Fetch
from facesieve.images.storage import Storage
from facesieve.publish import file_names
from facesieve.publish.exports import Batches, cleared, complete, write_csv

MANIFEST = ("path", "uri", "identity", "label", "image_id", "face_id", "sha256")

_FILES_PER_TASK = 500


def export_folders(cleaned: Cleaned, source_fetch: Fetch, target: Storage, version: str = "") -> int:
    """Copy the image files below `target` (the run's folder) to folders/<identity>/<file>; return the rows.

    An image of several people is a file in the folder of each; two faces of one identity share a file. Where `bytes` is
    null, `source_fetch` reads the file of a uri, on executors. With the files come manifest.csv (MANIFEST, one row per
    row of `cleaned`; path relative to it) and _SUCCESS.
    Raises ContractError if files vanished or changed since they were listed, OSError if a file cannot be written.
    """
    folder = cleared(target, "folders")
    placed = _placed(cleaned.select(*MANIFEST[1:]))
    rows = cleaned.count()
    tasks = max(cleaned.sparkSession.sparkContext.defaultParallelism, rows // _FILES_PER_TASK)
    copy = partial(_copy, fetch=source_fetch, target=folder)
    files = placed.groupBy("path", "image_id").agg(*(F.min(name).alias(name) for name in ("face_id", "uri", "sha256")))
    contents = cleaned.select("face_id", "bytes")
    copied = files.repartition(tasks, "image_id").join(contents, "face_id", how="inner")
    copies = copied.mapInArrow(copy, "image_id bigint, problem string")
    count, spoilt, example = copies.agg(F.count("*"), F.count("problem"), F.min("problem")).collect()[0]
    if spoilt:
        raise ContractError(
            f"{spoilt} of {count} image files are not as they were listed (one of them {example}); "
            "run the job again, so that the images are read anew"
        )
    write_csv(placed, folder, "manifest.csv", MANIFEST)
    complete(folder, version)
    return int(rows)


def _placed(faces: DataFrame) -> DataFrame:
    """Give every face the path of its image in the folder of its identity: the rows of the manifest."""
    fold, file = F.udf(file_names.fold, "string"), F.udf(file_names.file, "string")
    base = F.element_at(F.split("uri", "/"), -1)
    images = faces.select("identity", "image_id", "uri").distinct()
    named = images.join(_folders(images), "identity", how="inner")
    crowded = _crowded(Window.partitionBy("identity", fold(base)))
    path = F.concat_ws("/", "folder", file("uri", "image_id", crowded))
    paths = named.select("identity", "image_id", path.alias("path"))
    return faces.join(paths, ["identity", "image_id"], how="inner").select(*MANIFEST)


def _folders(images: DataFrame) -> DataFrame:
    """One row per identity: the name of its folder."""
    fold, folder = F.udf(file_names.fold, "string"), F.udf(file_names.folder, "string")
    crowded = _crowded(Window.partitionBy(fold("identity")))
    return images.select("identity").distinct().select("identity", folder("identity", crowded).alias("folder"))


def _crowded(same_name: WindowSpec) -> Column:
    return F.count("*").over(same_name) > 1


def _copy(batches: Batches, fetch: Fetch, target: Storage) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        rows = batch.select(["path", "uri", "sha256", "bytes"]).to_pylist()
        problems = [_copy_file(row, fetch, target) for row in rows]
        yield pa.record_batch({"image_id": batch["image_id"], "problem": pa.array(problems, pa.string())})


def _copy_file(row: dict[str, Any], fetch: Fetch, target: Storage) -> str | None:
    content = row["bytes"]
    content, problem = listed_content(row["uri"], row["sha256"], fetch if content is None else lambda _: bytes(content))
    if content is not None:
        target.write(row["path"], content)
    return problem

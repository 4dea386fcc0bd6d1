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
_TALLY = pa.schema([("files", pa.int64()), ("spoilt", pa.int64()), ("example", pa.string())])
"""What a task that copies files tells: how many there were, how many are not as they were listed, one of these."""


def export_folders(cleaned: Cleaned, source_fetch: Fetch | None, target: Storage, version: str = "") -> int:
    """Copy the image files below `target` (the run's folder) to folders/<identity>/<file>; return the rows.

    An image of several people is a file in the folder of each; two faces of one identity share a file. `source_fetch`
    reads the file of a uri, on executors; without it the column `bytes` has all contents. With the files come
    manifest.csv (MANIFEST, one row per row of `cleaned`; path relative to it) and _SUCCESS.
    Raises ContractError if files vanished or changed since they were listed, OSError if a file cannot be written.
    """
    folder = cleared(target, "folders")
    placed = _placed(cleaned.select(*MANIFEST[1:])).persist()
    _copy_files(placed, None if source_fetch else cleaned.select("face_id", "bytes"), source_fetch, folder)
    rows = write_csv(placed, folder, "manifest.csv", MANIFEST)
    placed.unpersist()
    complete(folder, version)
    return rows


def _placed(faces: DataFrame) -> DataFrame:
    """Give every face the path of its image in the folder of its identity: the rows of the manifest.

    people: the identities whose folders could meet. All that is asked of them is asked after a single shuffle.
    """
    fold, folder, file = (F.udf(name, "string") for name in (file_names.fold, file_names.folder, file_names.file))
    named = faces.withColumns({"people": fold("identity"), "base": fold(F.element_at(F.split("uri", "/"), -1))})
    crowded_folder = _several("identity", Window.partitionBy("people"))
    crowded_file = _several("image_id", Window.partitionBy("people", "identity", "base"))
    path = F.concat_ws("/", folder("identity", crowded_folder), file("uri", "image_id", crowded_file))
    return named.select("people", path.alias("path"), *MANIFEST[1:])


def _several(name: str, same_name: WindowSpec) -> Column:
    """Say whether rows of the same name have different values in a column."""
    return F.min(name).over(same_name) != F.max(name).over(same_name)


def _copy_files(placed: DataFrame, contents: DataFrame | None, source_fetch: Fetch | None, folder: Storage) -> None:
    tasks = max(placed.sparkSession.sparkContext.defaultParallelism, placed.count() // _FILES_PER_TASK)
    by_file = placed.groupBy("people", "path", "image_id")
    files = by_file.agg(*(F.min(name).alias(name) for name in ("face_id", "uri", "sha256")))
    spread = files.repartition(tasks, "image_id")
    copied = spread.join(contents, "face_id", how="inner") if contents is not None else spread
    copy = partial(_copy, fetch=source_fetch, target=folder)
    tallies = copied.mapInArrow(copy, "files bigint, spoilt bigint, example string").collect()
    spoilt = sum(tally.spoilt for tally in tallies)
    if spoilt:
        example = min(tally.example for tally in tallies if tally.spoilt)
        raise ContractError(
            f"{spoilt} of {sum(tally.files for tally in tallies)} image files are not as they were listed "
            f"(one of them {example}); run the job again, so that the images are read anew"
        )


def _copy(batches: Batches, fetch: Fetch | None, target: Storage) -> Iterator[pa.RecordBatch]:
    """Copy the files of a task; yield its row of _TALLY."""
    problems: list[str | None] = []
    for batch in batches:
        columns = ["path", "uri", "sha256", *(["bytes"] if fetch is None else [])]
        problems += [_copy_file(row, fetch, target) for row in batch.select(columns).to_pylist()]
    spoilt = [problem for problem in problems if problem is not None]
    row = {"files": len(problems), "spoilt": len(spoilt), "example": min(spoilt, default=None)}
    yield pa.RecordBatch.from_pylist([row], _TALLY)


def _copy_file(row: dict[str, Any], fetch: Fetch | None, target: Storage) -> str | None:
    content, problem = listed_content(row["uri"], row["sha256"], fetch or (lambda _: _stored(row)))
    if content is not None:
        target.write(row["path"], content)
    return problem


def _stored(row: dict[str, Any]) -> bytes:
    if row["bytes"] is None:
        raise OSError("its source has it no more")
    return bytes(row["bytes"])

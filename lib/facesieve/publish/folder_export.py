"""The export `folders`: the image files, a folder for each identity, and a manifest."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pyarrow as pa
from pyspark.sql import Column
from pyspark.sql import functions as F

from facesieve.core.tables import Cleaned
from facesieve.images.protocol import Fetch
from facesieve.images.storage import Storage
from facesieve.publish.copying import TALLY, Tallies, copied, tally
from facesieve.publish.exports import Batches, Lines, cleared, complete, write_csv
from facesieve.publish.folder_card import folder_card
from facesieve.publish.folder_paths import Placed, placed
from facesieve.publish.pictures import Faces, Pictures, Reader, stored

MANIFEST = ("path", "uri", "identity", "label", "image_id", "face_id", "sha256")

_FILES_PER_TASK = 500


def export_folders(
    cleaned: Cleaned, source_fetch: Fetch | None, target: Storage, version: str = "", split: Column | None = None
) -> int:
    """Copy the image files below `target` (the run's folder) to folders/<identity>/<file>; return the rows.

    An image of several people is a file in the folder of each; two faces of one identity share a file. `source_fetch`
    reads the file of a uri, on executors; without it the column `bytes` has all contents. With the files come
    manifest.csv (MANIFEST, one row per row of `cleaned`; path relative to it), README.md and _SUCCESS. With `split` the
    folders are folders/<split>/<identity>, and the manifest has a column split.
    Raises ContractError if files vanished or changed since they were listed, OSError if a file cannot be written.
    """
    pictures = Pictures(Reader(source_fetch)) if source_fetch else stored(cleaned)
    paths = placed(cleaned, F.element_at(F.split("uri", "/"), -1), "image_id", split)
    return copy_into(cleared(target, "folders"), paths, pictures, version)


def copy_into(folder: Storage, paths: Placed, pictures: Pictures, edition: str) -> int:
    """Write the picture of each path, and with them manifest.csv, README.md and _SUCCESS; return the rows of `paths`.

    Raises as `export_folders` does.
    """
    rows = Placed(paths.persist())
    splits = sorted(row.split for row in rows.select("split").distinct().collect() if row.split)
    _copy_files(rows, pictures, folder)
    written = write_csv(Lines(rows), folder, "manifest.csv", (*MANIFEST, *(["split"] if splits else [])))
    rows.unpersist()
    folder.write("README.md", folder_card(splits).encode("utf-8"))
    complete(folder, edition)
    return written


def _copy_files(rows: Placed, pictures: Pictures, folder: Storage) -> None:
    tasks = max(rows.sparkSession.sparkContext.defaultParallelism, rows.count() // _FILES_PER_TASK)
    by_file = rows.groupBy("people", "path", "image_id")
    files = by_file.agg(*(F.min(name).alias(name) for name in ("face_id", "uri", "sha256")))
    spread = pictures.add_to(Faces(files.repartition(tasks, "image_id")))
    copied(Tallies(spread.mapInArrow(partial(_copy, read=pictures.read, folder=folder), TALLY)))


def _copy(batches: Batches, read: Reader, folder: Storage) -> Iterator[pa.RecordBatch]:
    """Copy the files of a task; yield its row of TALLY."""
    problems: list[str | None] = []
    for batch in batches:
        for row in batch.to_pylist():
            content, problem = read(row)
            problems.append(problem)
            if content is not None:
                folder.write(row["path"], content)
    yield tally(problems)

"""Zip files on a worker's import path are read once, not for every task."""

from __future__ import annotations

import importlib
import sys
import zipfile
import zipimport
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from facesieve.core.zip_imports import keep_zip_directories


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A zip file on the import path, of which one module was looked for."""
    path = tmp_path / "modules.zip"
    with zipfile.ZipFile(path, "w") as written:
        written.writestr("in_a_zip_of_the_test.py", "answer = 42")
    monkeypatch.syspath_prepend(str(path))
    assert importlib.import_module("in_a_zip_of_the_test").answer == 42
    del sys.modules["in_a_zip_of_the_test"]
    return path


def _reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note which zip files are read from now on."""
    read, reading = list[str](), zipimport._read_directory  # type: ignore[attr-defined]

    def noted(path: str) -> object:
        read.append(path)
        return reading(path)

    monkeypatch.setattr(zipimport, "_read_directory", noted)
    return read


@pytest.mark.parametrize("in_worker", [True, False])
def test_only_a_worker_keeps_what_it_has_read(
    archive: Path, monkeypatch: pytest.MonkeyPatch, *, in_worker: bool
) -> None:
    if in_worker:
        monkeypatch.setitem(sys.modules, "pyspark.worker", ModuleType("pyspark.worker"))
    keep_zip_directories()
    read = _reads(monkeypatch)
    importlib.invalidate_caches()
    assert (str(archive) in read) != in_worker


def test_tasks_do_not_read_zip_files_again(spark: SparkSession) -> None:
    rows = spark.range(0, 4, 1, 4).mapInArrow(_zip_files, "path string, still boolean").collect()
    assert any("spark-core" in row.path for row in rows)
    assert all(row.still for row in rows)


def _zip_files(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    keep_zip_directories()
    for _ in batches:
        settled = {
            path: "invalidate_caches" in vars(importer)
            for path, importer in sys.path_importer_cache.items()
            if isinstance(importer, zipimport.zipimporter)
        }
        yield pa.RecordBatch.from_pydict({"path": list(settled), "still": list(settled.values())})

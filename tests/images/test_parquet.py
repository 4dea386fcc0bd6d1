from __future__ import annotations

import pickle
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from facesieve.core.errors import ConfigError
from facesieve.core.sections import Images
from facesieve.images.protocol import SOURCE_IMAGES
from facesieve.images.sources import source


def _parquet(root: Path, **columns: pa.Array) -> Images:
    root.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), root / f"{len(list(root.iterdir()))}.parquet")
    return Images(root=str(root), format="parquet")


def test_a_parquet_set_carries_its_content(spark: SparkSession, tmp_path: Path) -> None:
    root = tmp_path / "set [1]*"
    _parquet(root, uri=pa.array(["a", "b/c"]), bytes=pa.array([b"one", None], pa.binary()), identity=["p", None])
    images = source(_parquet(root, uri=pa.array(["d"]), bytes=pa.array([b""]), identity=["q"]))
    images.check()
    frame = images.images(spark)
    assert frame.dtypes == [(column.name, column.dataType.simpleString()) for column in SOURCE_IMAGES]
    rows = sorted(map(tuple, frame.collect()))
    assert rows == [("a", 3, None, "p", b"one"), ("b/c", 0, None, None, None), ("d", 0, None, "q", b"")]
    fetch = pickle.loads(pickle.dumps(images.fetch()))
    assert fetch("a") == b"one"
    for absent in ("b/c", "nowhere"):
        with pytest.raises(OSError):
            fetch(absent)


def test_a_parquet_set_without_identity_has_none(spark: SparkSession, tmp_path: Path) -> None:
    images = source(_parquet(tmp_path, uri=pa.array(["a"]), bytes=pa.array([b"one"])))
    images.check()
    assert images.images(spark).collect()[0].identity is None


def test_a_foreign_parquet_set_is_a_fault_that_names_the_columns(tmp_path: Path) -> None:
    wrong = _parquet(tmp_path / "wrong", path=pa.array(["a"]), bytes=pa.array([1]), identity=pa.array([7]))
    empty = _parquet(tmp_path / "empty", uri=pa.array([], pa.string()), bytes=pa.array([], pa.binary()))
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "a.parquet").write_text("text")
    (tmp_path / "nothing").mkdir()
    for settings, problem in (
        (wrong, "column uri is missing; column bytes is int64, not binary; column identity is int64, not string"),
        (empty, "there is no row"),
        (Images(root=str(tmp_path / "text"), format="parquet"), "cannot be read as Parquet"),
        (Images(root=str(tmp_path / "nothing"), format="parquet"), "column uri is missing"),
    ):
        with pytest.raises(ConfigError) as caught:
            source(settings).check()
        assert caught.value.faults[0].key == "images.root"
        assert problem in str(caught.value)

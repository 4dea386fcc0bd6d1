from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from facesieve.core.errors import ConfigError
from facesieve.core.sections import Columns, Images
from facesieve.images.protocol import SOURCE_IMAGES, Source
from facesieve.images.sources import source
from facesieve.images.vectors.vector_set import VectorSet, VectorTable, no_picture, vector_source

VECTORS = np.arange(15, dtype=np.float32).reshape(5, 3)


def _source(root: Path, columns: Columns | None = None, dimension: int = 0) -> Source:
    return source(Images(root=str(root), format="vectors", columns=columns or Columns(), dimension=dimension))


def _rows(spark: SparkSession, origin: Source) -> list[tuple[str, str | None, bytes]]:
    origin.check()
    frame = origin.images(spark)
    assert frame.dtypes == [(column.name, column.dataType.simpleString()) for column in SOURCE_IMAGES]
    rows = frame.collect()
    assert len(rows) == origin.rows() == origin.count(spark)
    names = origin.images(spark, content=False)
    assert names.where("content IS NULL").count() == len(rows)
    if isinstance(origin, VectorSet):
        assert names.exceptAll(frame.withColumn("content", F.lit(None).cast("binary"))).isEmpty()
    return sorted((row.uri, row.identity, bytes(row.content)) for row in rows)


def test_arrays_and_parquet_hold_the_same_vectors(spark: SparkSession, tmp_path: Path) -> None:
    for name in ("arrays", "raw", "table"):
        (tmp_path / name).mkdir()
    np.save(tmp_path / "arrays/a.npy", VECTORS)
    (tmp_path / "arrays/a.meta").write_text("0\n0\n1\n1\n2\n")
    VECTORS.tofile(tmp_path / "raw/a.bin")
    halves = pa.array([row.astype(np.float16) for row in VECTORS], pa.list_(pa.float16()))
    pq.write_table(pa.table({"emb": halves, "identity": [0, 0, 1, 1, 2]}), tmp_path / "table/a.parquet")
    arrays = _rows(spark, _source(tmp_path / "arrays"))
    assert arrays == [(f"a.npy#{n}", str(n // 2), VECTORS[n].tobytes()) for n in range(5)]
    raw = _rows(spark, _source(tmp_path / "raw", dimension=3))
    table = _rows(spark, _source(tmp_path / "table"))
    assert [row[2] for row in raw] == [row[2] for row in table] == [row[2] for row in arrays]
    assert [row[1] for row in table] == [row[1] for row in arrays]
    assert _source(tmp_path / "table").carries_content
    state = _source(tmp_path / "arrays").state(spark)
    assert state == _source(tmp_path / "arrays").state(spark)
    (tmp_path / "arrays/a.meta").write_text("0\n0\n1\n1\n3\n")
    assert state != _source(tmp_path / "arrays").state(spark)


def test_what_is_beside_is_counted(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", VECTORS)
    (tmp_path / "README.md").write_text("x")
    origin = VectorSet(str(tmp_path))
    assert [kind[::2] for kind in origin.ignored(SparkSession.getActiveSession()).kinds] == [(".md", 1)]  # type: ignore[arg-type]
    assert origin.dimensions == [3]


def test_numbers_of_rows_cannot_meet_and_names_from_a_list_can(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", VECTORS)
    (tmp_path / "a.meta").write_text("0\n0\n1\n1\n2\n")
    assert VectorSet(str(tmp_path)).numbered
    (tmp_path / "uri.txt").write_text("a\na\nb\nc\nd\n")
    assert not VectorSet(str(tmp_path)).numbered


def test_what_is_no_set_of_vectors_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "mixed").mkdir()
    for width in (3, 4):
        np.save(tmp_path / f"mixed/{width}.npy", np.ones((2, width), np.float32))
    (tmp_path / "raw").mkdir()
    VECTORS.tofile(tmp_path / "raw/a.bin")
    (tmp_path / "other").mkdir()
    pq.write_table(pa.table({"uri": ["a"], "numbers": [[1]]}), tmp_path / "other/a.parquet")
    for name, text in (
        ("absent", "images.root: .*absent does not exist"),
        ("empty", "holds no vectors"),
        ("mixed", "holds vectors of 3 and 4 numbers"),
        ("raw", r"a\.bin has no header: images\.dimension says"),
        ("other", "column vector is missing"),
    ):
        with pytest.raises(ConfigError, match=text):
            _source(tmp_path / name).check()


def test_no_vector_has_a_picture(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", VECTORS)
    pq.write_table(pa.table({"vector": [[1.0]]}), tmp_path / "b.parquet")
    both = vector_source(str(tmp_path), Images(root=str(tmp_path)))
    assert isinstance(both, VectorSet)
    table = vector_source(str(tmp_path / "b.parquet"), Images(root=str(tmp_path)))
    assert isinstance(table, VectorTable)
    for origin in (both, table):
        with pytest.raises(FileNotFoundError):
            pickle.loads(pickle.dumps(origin.fetch()))("a.npy#0")
    with pytest.raises(FileNotFoundError):
        no_picture("a.npy#0")

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from facesieve.core.errors import ConfigError
from facesieve.core.sections import Columns, Images
from facesieve.images.protocol import SOURCE_IMAGES
from facesieve.images.sources import source

ROWS = [(f"{person}/{number}.jpg", f"picture {person}{number}".encode(), person) for person in "abc" for number in "12"]
LISTED = sorted(ROWS)


def _parquet(root: Path, name: str = "", **columns: Any) -> Images:
    file = root / (name or f"{len(list(root.iterdir())) if root.exists() else 0}.parquet")
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), file)
    return Images(root=str(root), format="parquet")


def _table(rows: list[tuple[str, bytes, str]] = ROWS) -> dict[str, Any]:
    uris, contents, people = map(list, zip(*rows, strict=True))
    return {"uri": uris, "bytes": pa.array(contents, pa.binary()), "identity": people}


def _rows(spark: SparkSession, images: Images) -> list[tuple[str, bytes, str]]:
    """What Spark lists, which must be as many rows as the footers tell."""
    origin = source(images)
    origin.check()
    rows = origin.images(spark).collect()
    assert len(rows) == origin.rows()
    return sorted((row.uri, bytes(row.content), row.identity) for row in rows)


def test_a_parquet_set_carries_its_content(spark: SparkSession, tmp_path: Path) -> None:
    root = tmp_path / "set [1]* 100% #"
    _parquet(root, uri=pa.array(["a", "b/c"]), bytes=pa.array([b"one", None], pa.binary()), identity=["p", None])
    images = source(_parquet(root, uri=pa.array(["d"]), bytes=pa.array([b""]), identity=["q"]))
    images.check()
    frame = images.images(spark)
    assert frame.dtypes == [(column.name, column.dataType.simpleString()) for column in SOURCE_IMAGES]
    rows = sorted(map(tuple, frame.collect()))
    assert rows == [("a", 3, None, "p", b"one"), ("b/c", 0, None, None, None), ("d", 0, None, "q", b"")]
    assert images.images(spark, content=False).where("content IS NULL AND size IS NULL").count() == images.rows() == 3
    fetch = pickle.loads(pickle.dumps(images.fetch()))
    assert fetch("a") == b"one"
    for absent in ("b/c", "nowhere"):
        with pytest.raises(OSError):
            fetch(absent)


def test_files_at_the_top_and_below_are_read_alike(spark: SparkSession, tmp_path: Path) -> None:
    mixed = tmp_path / "mixed"
    _parquet(mixed, "a.parquet", **_table(ROWS[:2]))
    assert _rows(spark, _parquet(mixed, "more/b.parquet", **_table(ROWS[2:]))) == LISTED
    below = tmp_path / "below"
    _parquet(below, "train/0.parquet", **_table(ROWS[:2]))
    assert _rows(spark, _parquet(below, "test/0.parquet", **_table(ROWS[2:]))) == LISTED


@pytest.mark.parametrize("people", [["0001", "0002", "n3"], ["1001", "1002", "1003"], ["a/b", "c=d %", "é~"]])
def test_folders_of_hive_are_text(spark: SparkSession, tmp_path: Path, people: list[str]) -> None:
    named = [(uri, content, people["abc".index(person)]) for uri, content, person in ROWS]
    parts = ds.partitioning(pa.schema([("identity", pa.string())]), flavor="hive")
    ds.write_dataset(pa.table(_table(named)), tmp_path / "set", format="parquet", partitioning=parts)
    assert _rows(spark, Images(root=str(tmp_path / "set"), format="parquet")) == sorted(named)


def test_folders_that_spark_writes_are_read_back(spark: SparkSession, tmp_path: Path) -> None:
    named = [(uri, content, person + "/0 %:") for uri, content, person in ROWS]
    frame = spark.createDataFrame(named, "uri string, bytes binary, identity string")
    frame.write.partitionBy("identity").parquet(str(tmp_path / "set"))
    assert _rows(spark, Images(root=str(tmp_path / "set"), format="parquet")) == sorted(named)


def test_types_that_spark_cannot_read_break_nothing(spark: SparkSession, tmp_path: Path) -> None:
    table = _table()
    table["half"] = pa.nulls(len(ROWS), pa.float16())
    table["uri"] = pa.array(table["uri"]).dictionary_encode().cast(pa.dictionary(pa.uint16(), pa.string()))
    table["bytes"] = table["bytes"].cast(pa.binary_view())
    table["identity"] = pa.array(table["identity"], pa.string_view())
    assert _rows(spark, _parquet(tmp_path, **table)) == LISTED


def test_shards_of_other_schemas_are_united(spark: SparkSession, tmp_path: Path) -> None:
    _parquet(tmp_path, **_table(ROWS[:2]))
    other = {name.upper(): column for name, column in _table(ROWS[2:]).items()}
    other["IDENTITY"] = pa.array(other["IDENTITY"]).dictionary_encode()
    assert _rows(spark, _parquet(tmp_path, extra=pa.nulls(4), **other)) == LISTED


def test_a_single_file_and_a_struct_of_hugging_face(spark: SparkSession, tmp_path: Path) -> None:
    table = _table()
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    image = pa.array([{"bytes": content, "path": uri} for uri, content, _ in ROWS], kind)
    _parquet(tmp_path, "faces.parquet", image=image, label=table["identity"])
    columns = Columns("image.path", "image.bytes", "label")
    images = Images(root=str(tmp_path / "faces.parquet"), format="parquet", columns=columns)
    assert _rows(spark, images) == LISTED
    assert source(images).fetch()("a/1.jpg") == b"picture a1"


def test_row_groups_are_spread_over_tasks(spark: SparkSession, tmp_path: Path) -> None:
    pq.write_table(pa.table(_table()), tmp_path / "a.parquet", row_group_size=1)
    frame = source(Images(root=str(tmp_path), format="parquet")).images(spark)
    assert frame.rdd.getNumPartitions() == len(ROWS)
    assert sorted(frame.rdd.glom().map(len).collect()) == [1] * len(ROWS)


def test_what_is_beside_is_counted(spark: SparkSession, tmp_path: Path) -> None:
    images = source(_parquet(tmp_path, **_table()))
    assert images.ignored(spark).files == 0
    for name in ("README.md", "_SUCCESS", ".gitattributes", "a.txt", "b.txt"):
        (tmp_path / name).write_text("x")
    ignored = source(Images(root=str(tmp_path), format="parquet")).ignored(spark)
    assert (ignored.files, ignored.kinds[0][::2]) == (5, (".txt", 2))


def test_a_parquet_set_without_identity_has_none(spark: SparkSession, tmp_path: Path) -> None:
    images = source(_parquet(tmp_path, uri=pa.array(["a"]), bytes=pa.array([b"one"])))
    images.check()
    assert images.images(spark).collect()[0].identity is None


def test_a_foreign_parquet_set_is_a_fault_that_names_the_columns(tmp_path: Path) -> None:
    wrong = _parquet(tmp_path / "wrong", path=["a"], bytes=pa.array([1]), identity=pa.array([[7]]))
    paths = _parquet(tmp_path / "paths", uri=["a"], bytes=pa.array([None], pa.binary()))
    empty = _parquet(tmp_path / "empty", uri=pa.array([], pa.string()), bytes=pa.array([], pa.binary()))
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "a.parquet").write_text("text")
    (tmp_path / "nothing").mkdir()
    (tmp_path / "nothing" / "a.csv").write_text("text")
    columns = (
        "column uri is missing; column bytes is int64, which is not bytes; column identity is list<element: int64>"
    )
    for settings, key, problem in (
        (wrong, "images.columns", columns),
        (paths, "images.root", "no row has bytes"),
        (empty, "images.root", "there is no row"),
        (Images(root=str(tmp_path / "text"), format="parquet"), "images.root", "cannot be read as Parquet"),
        (Images(root=str(tmp_path / "nothing"), format="parquet"), "images.root", "no Parquet file, but 1 .csv"),
        (Images(root=str(tmp_path / "absent"), format="parquet"), "images.root", "does not exist"),
    ):
        with pytest.raises(ConfigError) as caught:
            source(settings).check()
        assert caught.value.faults[0].key == key
        assert problem in str(caught.value)

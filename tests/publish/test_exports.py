"""Exports are read back with the tools that their readers would use."""

from __future__ import annotations

import csv
import hashlib
import shutil
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from pyspark.errors import PythonException
from pyspark.sql import DataFrame, SparkSession

from facesieve.core.errors import ConfigError, ContractError
from facesieve.core.tables import CLEANED
from facesieve.images.storage import Storage
from facesieve.publish import exports

PLACES = {  # uri -> identity; every file holds its own uri
    "a/x.jpg": "Ann",
    "b/x.jpg": "Ann",
    "b/X.JPG": "Ann",
    "b/y.jpg": "Ann",
    "ann/x.jpg": "ann",
    "up/x.jpg": "../../up",
    "slash/x.jpg": "a/b",
    "empty/x.jpg": "",
    "long/" + "y" * 240 + ".jpg": "x" * 300,
    "control/new\nline.jpg": "tab\there",
    "h1.jpg": "cluster-7",
    "h2.jpg": "cluster--9",
    "h3.jpg": "cluster--9",
    "h4.jpg": "cluster-8",
}


NAMED = sorted(name for name in set(PLACES.values()) if not name.startswith("cluster-"))
LABELS = {name: number for number, name in enumerate([*NAMED, "cluster--9", "cluster-7", "cluster-8"])}


def content(uri: str) -> bytes:
    return uri.encode()


@pytest.fixture(scope="module")
def cleaned(spark: SparkSession) -> DataFrame:
    rows = [
        (identity, i, 100 + i, uri, hashlib.sha256(content(uri)).hexdigest(), [float(i), 1.0], None, LABELS[identity])
        for i, (uri, identity) in enumerate(PLACES.items())
    ]
    return spark.createDataFrame(rows, CLEANED.columns).repartition(3)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Storage:
    storage = Storage(str(tmp_path_factory.mktemp("source")))
    for uri in PLACES:
        storage.write(uri, content(uri))
    return storage


@pytest.fixture(scope="module")
def folders(cleaned: DataFrame, source: Storage, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("exports")
    left_over = root / "run" / "folders" / "left over" / "x.jpg"
    left_over.parent.mkdir(parents=True)
    left_over.write_bytes(b"of a run that was killed")
    (root / "run" / ".facesieve").write_bytes(b"")
    assert exports.export_folders(cleaned, source.read, Storage(str(root / "run"))) == len(PLACES)
    return root / "run" / "folders"


def manifest(folders: Path) -> list[dict[str, str]]:
    with (folders / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_folders_hold_every_image_once_and_nothing_else(folders: Path) -> None:
    rows = manifest(folders)
    assert {row["uri"]: row["identity"] for row in rows} == PLACES
    assert all((folders / row["path"]).read_bytes() == content(row["uri"]) for row in rows)
    files = {str(file.relative_to(folders)) for file in folders.rglob("*") if file.is_file()}
    assert files == {row["path"] for row in rows} | {"manifest.csv", "_SUCCESS"}
    assert {file.name for file in folders.parent.parent.iterdir()} == {"run"}


def test_folders_keep_plain_names_and_mark_those_that_would_meet(folders: Path) -> None:
    paths = {row["uri"]: row["path"] for row in manifest(folders)}
    assert paths["h1.jpg"] == "cluster-7/h1.jpg"
    ann, other = Path(paths["b/y.jpg"]), Path(paths["ann/x.jpg"])
    assert (ann.name, other.name) == ("y.jpg", "x.jpg")
    assert ann.parent.name.startswith("Ann~")
    assert other.parent.name.startswith("ann~")
    assert {Path(paths[uri]).name for uri in ("a/x.jpg", "b/x.jpg", "b/X.JPG")} == {
        f"{stem}~{i:016x}.{suffix}" for i, (stem, suffix) in enumerate([("x", "jpg"), ("x", "jpg"), ("X", "JPG")])
    }


def test_every_path_is_one_folder_deep(folders: Path) -> None:
    rows = manifest(folders)
    assert [row["path"] for row in rows] == sorted((row["path"] for row in rows), key=str.encode)
    assert all(len(Path(row["path"]).parts) == 2 for row in rows)
    assert len({Path(row["path"]).parts[0] for row in rows}) == len(set(PLACES.values()))


def test_manifest_bears_the_labels_of_the_table(folders: Path) -> None:
    assert {row["identity"]: int(row["label"]) for row in manifest(folders)} == LABELS


@pytest.fixture
def spoilt(source: Storage) -> Iterator[Storage]:
    source.write("h1.jpg", b"another picture")
    yield source
    source.write("h1.jpg", content("h1.jpg"))


def test_a_source_that_changed_is_an_error_and_leaves_no_success(
    cleaned: DataFrame, spoilt: Storage, folders: Path, tmp_path: Path
) -> None:
    shutil.copytree(folders.parent, tmp_path, dirs_exist_ok=True)
    with pytest.raises(ContractError, match=r"1 of 14 .* has changed"):
        exports.export_folders(cleaned, spoilt.read, Storage(str(tmp_path)))
    assert not (tmp_path / "folders" / "_SUCCESS").exists()
    with pytest.raises(PythonException, match=r"image 10 has changed"):
        exports.with_bytes(cleaned, spoilt.read).collect()


def test_a_source_that_vanished_is_an_error(cleaned: DataFrame, tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"14 of 14 .* cannot be read"):
        exports.export_folders(cleaned, Storage(str(tmp_path / "nowhere")).read, Storage(str(tmp_path)))


def test_nothing_kept_is_an_empty_export(cleaned: DataFrame, source: Storage, tmp_path: Path) -> None:
    nothing, target = cleaned.where("false"), Storage(str(tmp_path))
    assert exports.export_folders(nothing, source.read, target) == 0
    assert exports.export_parquet(nothing, target, 2) == 0
    assert (tmp_path / "labels.csv").read_text() == "label,identity,images\n"
    assert manifest(tmp_path / "folders") == []
    assert (tmp_path / "folders" / "_SUCCESS").exists()
    assert (tmp_path / "parquet" / "_SUCCESS").exists()


def test_parquet_is_a_plain_data_set_in_buckets(cleaned: DataFrame, source: Storage, tmp_path: Path) -> None:
    (tmp_path / ".facesieve").write_bytes(b"")
    (tmp_path / "parquet" / "bucket=9").mkdir(parents=True)
    (tmp_path / "parquet" / "bucket=9" / "old.parquet").write_bytes(b"of a run that was killed")
    assert exports.export_parquet(exports.with_bytes(cleaned, source.read), Storage(str(tmp_path)), 3) == len(PLACES)
    assert (tmp_path / "parquet" / "_SUCCESS").exists()
    rows = ds.dataset(tmp_path / "parquet", format="parquet", partitioning="hive").to_table().to_pylist()
    assert {row["uri"]: (row["identity"], row["bytes"]) for row in rows} == {
        uri: (identity, content(uri)) for uri, identity in PLACES.items()
    }
    assert all(row["bucket"] == zlib.crc32(row["identity"].encode()) % 3 for row in rows)
    assert [row["image_id"] for row in sorted(rows, key=lambda row: row["vector"])] == list(range(len(PLACES)))
    assert all(row["label"] == LABELS[row["identity"]] for row in rows)


def test_a_table_of_labels_stands_beside_the_parquet_data_set(cleaned: DataFrame, tmp_path: Path) -> None:
    exports.export_parquet(cleaned, Storage(str(tmp_path)), 3)
    with (tmp_path / "labels.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    count = Counter(PLACES.values())
    assert [(int(row["label"]), row["identity"], int(row["images"])) for row in rows] == [
        (number, name, count[name]) for name, number in LABELS.items()
    ]


def test_a_bucket_is_cut_into_files_of_bounded_size(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(exports, "_FILE_BYTES", 1)
    batches = [pa.record_batch({"bucket": pa.array(part), "n": pa.array(part)}) for part in ([0, 0], [0, 2, 2], [2, 5])]
    written = list(exports._write_buckets(batches, Storage(str(tmp_path))))
    files = {str(f.relative_to(tmp_path)): pq.read_table(f)["n"].to_pylist() for f in tmp_path.rglob("*.parquet")}
    assert files == {
        "bucket=0/part-00000.parquet": [0, 0],
        "bucket=0/part-00001.parquet": [0],
        "bucket=2/part-00000.parquet": [2, 2],
        "bucket=2/part-00001.parquet": [2],
        "bucket=5/part-00000.parquet": [5],
    }
    assert len(written) == len(files)


def test_what_facesieve_did_not_make_is_never_cleared(cleaned: DataFrame, source: Storage, tmp_path: Path) -> None:
    (tmp_path / "folders").mkdir()
    (tmp_path / "folders" / "mine.jpg").write_bytes(b"mine")
    for export in (
        lambda: exports.export_folders(cleaned, source.read, Storage(str(tmp_path))),
        lambda: exports.export_parquet(cleaned, Storage(str(tmp_path)), 2),
    ):
        with pytest.raises(ConfigError, match=r"publish\.export_root"):
            export()
    assert (tmp_path / "folders" / "mine.jpg").read_bytes() == b"mine"


def test_an_export_is_complete_for_one_version_only(cleaned: DataFrame, tmp_path: Path) -> None:
    target = Storage(str(tmp_path / "run"))
    assert not exports.is_complete(target, "parquet", "7")
    exports.export_parquet(cleaned, target, 2, "7")
    assert exports.is_complete(target, "parquet", "7")
    assert not exports.is_complete(target, "parquet", "8")


def test_current_names_the_run(tmp_path: Path) -> None:
    root = Storage(str(tmp_path))
    assert exports.current(root) is None
    for run in ("first", "second"):
        exports.point_current(root, run)
        assert (tmp_path / "CURRENT").read_text() == run
        assert exports.current(root) == run
    exports.clear_current(root)
    assert exports.current(root) is None

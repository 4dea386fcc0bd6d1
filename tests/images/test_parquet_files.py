from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow.fs import LocalFileSystem

from facesieve.images.kinds import HIDDEN_PARQUET, IMAGE_FILE, LINK_OUT, NO_SUFFIX, UNNAMED_PARQUET
from facesieve.images.parquet_files import HIDDEN, SECOND_NAME, ParquetFiles, batches, folders, opened, parquet_files
from facesieve.images.protocol import Sort
from facesieve.images.storage import Storage


def _written(file: Path, rows: int = 3, group: int = 2) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"uri": [f"{file}{row}" for row in range(rows)]}), file, row_group_size=group)
    return file


def _listed(root: Path) -> ParquetFiles:
    return parquet_files(Storage(str(root)))


def _beside(listed: ParquetFiles) -> dict[str, int]:
    return {each.kind: each.files for each in listed.beside}


def _names(root: Path) -> list[str]:
    return [file.name for file in _listed(root).files]


def test_files_are_listed_in_all_folders_with_the_rows_of_their_groups(tmp_path: Path) -> None:
    for name in ("b.parquet", "more/deep/a.PARQUET", "train/0.pq", "1.parq"):
        _written(tmp_path / name)
    listed = _listed(tmp_path)
    assert [file.name for file in listed.files] == ["1.parq", "b.parquet", "more/deep/a.PARQUET", "train/0.pq"]
    assert {file.groups for file in listed.files} == {(2, 1)}
    assert (listed.rows, listed.problems, _beside(listed)) == (12, (), {})
    assert len({id(file.schema) for file in listed.files}) == 1


def test_a_single_file_is_a_data_set(tmp_path: Path) -> None:
    file = _written(tmp_path / "faces.data")
    assert [(each.name, each.rows) for each in _listed(file).files] == [("", 3)]


def test_what_is_beside_is_counted_by_kind(tmp_path: Path) -> None:
    _written(tmp_path / "a.parquet")
    _written(tmp_path / "_temporary/0/part.parquet")
    _written(tmp_path / ".cache/part.parquet")
    _written(tmp_path / "_year=2020/part.parquet")
    (tmp_path / "._a.parquet").write_text("x")
    for name in ("README.md", "_SUCCESS", ".a.parquet.crc", "LICENSE"):
        (tmp_path / name).write_text("x")
    listed = _listed(tmp_path)
    assert [file.name for file in listed.files] == ["_year=2020/part.parquet", "a.parquet"]
    assert _beside(listed) == {".md": 1, HIDDEN: 3, HIDDEN_PARQUET: 2, NO_SUFFIX: 1}


def test_without_a_suffix_the_content_tells(tmp_path: Path) -> None:
    _written(tmp_path / "20240101_000000_0")
    (tmp_path / "LICENSE").write_text("x")
    assert _names(tmp_path) == ["20240101_000000_0"]
    _written(tmp_path / "a.parquet")
    assert _names(tmp_path) == ["a.parquet"]


def test_an_unusual_suffix_is_told_by_content(tmp_path: Path) -> None:
    for number in range(2):
        _written(tmp_path / f"train.parquet-0000{number}-of-00002")
    assert len(_names(tmp_path)) == 2


def test_what_could_be_lost_beside_parquet_files_is_told_of(tmp_path: Path) -> None:
    for name in ("a.parquet", "b", "c.parquet-00000-of-00001"):
        _written(tmp_path / name)
    for name in ("x.jpg", "y.GIF", "z.heic", "LICENSE", "notes.txt", "d.crc32"):
        (tmp_path / name).write_text("x")
    listed = _listed(tmp_path)
    assert [file.name for file in listed.files] == ["a.parquet"]
    assert _beside(listed) == {IMAGE_FILE: 3, UNNAMED_PARQUET: 2, NO_SUFFIX: 1, ".txt": 1, ".crc32": 1}
    assert {each.kind for each in listed.beside if each.sort is Sort.MAYBE} == {IMAGE_FILE, UNNAMED_PARQUET}


def test_the_hubs_cache_is_read_once_through_its_links(tmp_path: Path) -> None:
    root = tmp_path / "datasets--faces"
    blob = _written(root / "blobs" / "0123abcd")
    for revision in ("abc", "def"):
        (root / "snapshots" / revision).mkdir(parents=True)
        (root / "snapshots" / revision / "train.parquet").symlink_to(Path("../../blobs/0123abcd"))
    listed = _listed(root)
    assert [file.name for file in listed.files] == ["snapshots/abc/train.parquet"]
    assert _beside(listed) == {SECOND_NAME: 1, NO_SUFFIX: 1}
    assert blob.exists()
    outside = _listed(root / "snapshots" / "abc")
    assert (outside.files, _beside(outside)) == ((), {LINK_OUT: 1})


def test_what_cannot_be_read_is_told_with_its_name(tmp_path: Path) -> None:
    whole = _written(tmp_path / "a.parquet").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(whole[:-20])
    (tmp_path / "none.parquet").write_bytes(b"")
    (tmp_path / "pointer.parquet").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 7\n")
    problems = _listed(tmp_path).problems
    assert [problem.split()[0] for problem in problems] == ["cut.parquet", "none.parquet", "pointer.parquet"]
    assert "cannot be read as Parquet" in problems[0]
    assert "git lfs pull" in problems[2]


@pytest.mark.parametrize(
    ("beside", "table"),
    [("_delta_log/0.json", "Delta Lake"), (".hoodie/x", "Hudi"), ("metadata/v1.metadata.json", "Iceberg")],
)
def test_tables_with_deleted_rows_are_refused(tmp_path: Path, beside: str, table: str) -> None:
    _written(tmp_path / "data" / "a.parquet")
    (tmp_path / beside).parent.mkdir()
    (tmp_path / beside).write_text("{}")
    (problem,) = _listed(tmp_path).problems
    assert table in problem


def test_folders_are_text_as_hive_writes_it() -> None:
    assert folders("identity=0001/a.parquet") == {"identity": "0001"}
    assert folders("x/identity=__HIVE_DEFAULT_PARTITION__/y=a%2Fb%3D/c=d.parquet") == {"identity": None, "y": "a/b="}
    assert folders("=x/a.parquet") == folders("a.parquet") == folders("") == {}


def test_columns_that_hold_nothing_are_told(tmp_path: Path) -> None:
    image = pa.array([{"bytes": None, "path": "a"}, {"bytes": None, "path": None}])
    image = image.cast(pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
    table = pa.table({"image": image, "late": pa.array([None, b"x"], pa.binary())})
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=1)
    pq.write_table(table, tmp_path / "b.parquet", write_statistics=False)
    assert [file.null for file in _listed(tmp_path).files] == [{"image.bytes"}, set()]


@pytest.mark.parametrize("size", [3_000_000, 10])
def test_batches_are_bounded_and_whole(tmp_path: Path, size: int) -> None:
    content = [os.urandom(8) * (size // 8 + 1) for _ in range(12)]
    wide = pa.array([None] * 12, pa.float16())
    pq.write_table(pa.table({"uri": [str(row) for row in range(12)], "bytes": content, "w": wide}), tmp_path / "a.pq")
    with opened(Storage(str(tmp_path)), "a.pq") as file:
        read = list(batches(file, 0, ["bytes", "uri"]))
        assert [row for batch in read for row in batch["bytes"].to_pylist()] == content
        assert {tuple(sorted(batch.schema.names)) for batch in read} == {("bytes", "uri")}
        assert max(batch.nbytes for batch in read) < 24 << 20
        assert len(read) == (1 if size == 10 else 3)
        assert sum(batch.num_rows for batch in batches(file, 0, [])) == 12


def test_a_root_that_is_not_there_is_an_oserror(tmp_path: Path) -> None:
    assert LocalFileSystem().get_file_info(str(tmp_path / "x")).is_file is False
    assert _listed(tmp_path / "x").files == ()

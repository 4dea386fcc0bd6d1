"""What all exports share: nothing of others is cleared, what is whole says so, and CURRENT names a run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from facesieve.core.errors import ConfigError
from facesieve.core.tables import Cleaned
from facesieve.images.storage import Storage
from facesieve.publish import exports
from facesieve.publish.folder_export import export_folders
from facesieve.publish.parquet_export import export_parquet


def test_what_facesieve_did_not_make_is_never_cleared(cleaned: Cleaned, source: Storage, tmp_path: Path) -> None:
    (tmp_path / "folders").mkdir()
    (tmp_path / "folders" / "mine.jpg").write_bytes(b"mine")
    target = Storage(str(tmp_path))
    writers: list[Callable[[], int]] = [
        lambda: export_folders(cleaned, source.read, target),
        lambda: export_parquet(cleaned, target, 2),
    ]
    for write in writers:
        with pytest.raises(ConfigError, match=r"publish\.export_root"):
            write()
    assert (tmp_path / "folders" / "mine.jpg").read_bytes() == b"mine"


def test_an_export_is_complete_for_one_version_only(cleaned: Cleaned, tmp_path: Path) -> None:
    target = Storage(str(tmp_path / "run"))
    assert not exports.is_complete(target, "parquet", "7")
    export_parquet(cleaned, target, 2, "7")
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


def test_an_edition_begins_with_the_version_that_undo_asks_for(tmp_path: Path) -> None:
    target = Storage(str(tmp_path))
    exports.complete(target.child("crops"), "12\nsplit = image")
    assert exports.is_complete(target, "crops", "12\nsplit = image")
    assert not exports.is_complete(target, "crops", "12")
    assert [exports.holds(target, "crops", version) for version in (12, 1)] == [True, False]
    assert not exports.holds(target, "folders", 12)


def test_an_export_that_fails_is_gone_but_for_what_is_not_ours(tmp_path: Path) -> None:
    target = Storage(str(tmp_path))
    for ours in (False, True):
        exports.cleared(target, "crops") if ours else None
        target.write("crops/Ann/a.png", b"")
        with pytest.raises(ValueError), exports.whole_or_gone(target, "crops"):
            raise ValueError
        assert target.exists("crops/Ann/a.png") != ours
        target.delete_tree("crops")


def test_a_list_has_a_line_for_each_row_whatever_is_in_it(spark: SparkSession, tmp_path: Path) -> None:
    rows = spark.createDataFrame([(2, "a\tb"), (10, "c\r\u2028 d %"), (1, "é")], "number bigint, name string")
    assert exports.write_list(exports.Lines(rows), Storage(str(tmp_path)), "x.lst", ("number", "name")) == 3
    text = (tmp_path / "x.lst").read_text(encoding="utf-8")
    assert text.splitlines() == ["1\té", "2\ta%09b", "10\tc%0D%E2%80%A8 d %"]


def test_a_large_file_is_read_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "_PIECE", 4)
    target = Storage(str(tmp_path))
    target.write("a/b", b"one two")
    assert list(exports.pieces_of(target, "a/b")) == [b"one ", b"two"]
    with pytest.raises(FileNotFoundError):
        list(exports.pieces_of(target, "a/c"))


def test_a_file_that_is_not_finished_is_not_there(tmp_path: Path) -> None:
    target = Storage(str(tmp_path))

    def write(content: bytes) -> None:
        with exports.whole_file(target, "x") as file:
            file.write(content)
            if content != b"whole":
                raise ValueError

    with pytest.raises(ValueError):
        write(b"half")
    assert not target.exists("x")
    write(b"whole")
    assert target.read("x") == b"whole"

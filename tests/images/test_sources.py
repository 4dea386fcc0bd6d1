from __future__ import annotations

import os
import pickle
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from facesieve.core.config import Images
from facesieve.core.errors import ConfigError
from facesieve.images import walk as walking
from facesieve.images.sources import Ignored, source
from facesieve.images.storage import Storage
from facesieve.images.walk import WHOLE, Part, folders, parts, walk

ODD = "b 50%#/x\ny é😀 +.PNG"


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Path]:
    """Five images in odd places, and six other things."""
    root = tmp_path / "root [x] #1%20"
    for name in ("flat.jpg", "a/1.JPG", "a/deep/er/2.jpeg", "b 50%#/x\ny é😀 +.PNG", "a/notes.txt", "a/no_suffix"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(name.encode())
    os.utime(root / "flat.jpg", ns=(0, 1_500_000_000_123_456_789))
    (tmp_path / "outside.jpg").write_bytes(b"")
    (root / "a" / "out.jpg").symlink_to(tmp_path / "outside.jpg")
    (root / "a" / "in.jpg").symlink_to("1.JPG")
    (root / "c").symlink_to("a")
    Path(os.fsdecode(os.fsencode(str(root / "a")) + b"/\xff.jpg")).write_bytes(b"")
    with socket.socket(socket.AF_UNIX) as listener:
        where = os.getcwd()
        os.chdir(root / "a")  # a socket's path is short
        listener.bind("s.jpg")
        os.chdir(where)
        yield root


IMAGES = {"flat.jpg", "a/1.JPG", "a/deep/er/2.jpeg", ODD, "a/in.jpg"}


def _files(root: Path | str) -> Images:
    return Images(root=str(root))


def test_a_tree_is_walked_by_tasks_and_every_file_is_an_image_or_ignored(spark: SparkSession, tree: Path) -> None:
    given = source(_files(tree))
    given.check()
    rows = {row.uri: row for row in given.images(spark).collect()}
    assert set(rows) == IMAGES
    assert rows[ODD].size == (tree / ODD).stat().st_size
    assert rows["flat.jpg"].modified == datetime.fromtimestamp(1_500_000_000, UTC).replace(
        tzinfo=None, microsecond=123456
    )
    assert all(row.identity is None and row.content is None for row in rows.values())
    fetch = pickle.loads(pickle.dumps(given.fetch()))
    assert {uri: fetch(uri) for uri in rows} == {uri: (tree / uri).read_bytes() for uri in rows}
    ignored = given.ignored(spark)
    assert ignored.files == 6
    assert ("link out of the root", 1) in Ignored(6, ignored.kinds).kinds


@pytest.mark.parametrize("most", [1, 2, 10_000])
@pytest.mark.parametrize("wanted", [1, 2, 3, 8, 50])
def test_parts_hold_every_file_once(tree: Path, monkeypatch: pytest.MonkeyPatch, wanted: int, most: int) -> None:
    monkeypatch.setattr(walking, "MOST_FOLDERS", most)
    for number in range(7):
        (tree / "wide" / f"d{number}" / "x").mkdir(parents=True)
        for name in (f"wide/{number}.jpg", f"wide/d{number}/1.jpg", f"wide/d{number}/x/2.jpg"):
            (tree / name).write_bytes(b"")
    suffixes = frozenset({".jpg", ".jpeg", ".png"})
    storage = Storage(str(tree))
    cut = parts(storage, wanted)
    found = [entry for part in cut for entry in walk(storage, part, suffixes)]
    assert sorted(found, key=str) == sorted(walk(storage, WHOLE, suffixes), key=str)
    assert len(cut) >= min(wanted, 12)
    assert max(part.shares for part in cut) == (1 if most == 10_000 or wanted == 1 else wanted)


def test_an_unreadable_folder_is_said_once_whoever_walks_it(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def scan(storage: Storage, folder: str, *rest: object) -> object:
        if folder in ("a", "a/deep"):
            raise PermissionError(folder)
        return scanned(storage, folder, *rest)

    scanned = walking._scan
    monkeypatch.setattr(walking, "_scan", scan)
    storage = Storage(str(tree))
    for cut in (parts(storage, 4), [Part("a", True, share, 3) for share in range(3)]):
        entries = [entry for part in cut for entry in walk(storage, part, frozenset({".jpg"}))]
        assert [entry.ignored for entry in entries].count("unreadable folder") == 1


def test_reasons_for_ignoring(tree: Path) -> None:
    entries = list(walk(Storage(str(tree)), WHOLE, frozenset({".jpg", ".jpeg", ".png"})))
    assert {entry.name for entry in entries if not entry.ignored} == IMAGES
    assert sorted(entry.ignored for entry in entries if entry.ignored) == [
        ".txt",
        "link out of the root",
        "link to a folder",
        "name is not UTF-8",
        "no suffix",
        "not a regular file",
    ]
    assert sorted(folders(Storage(str(tree)))) == ["a", "b 50%#"]


def test_a_remote_tree_is_walked_alike() -> None:
    storage = Storage("mock:///walk")
    for name in ("flat.jpg", "a/1.JPG", "a/deep/2.jpg", ODD, "a/notes.txt"):
        storage.write(name, name.encode())
    entries = {entry.name: entry for entry in walk(storage, WHOLE, frozenset({".jpg", ".png"})) if not entry.ignored}
    assert set(entries) == {"flat.jpg", "a/1.JPG", "a/deep/2.jpg", ODD}
    assert entries["a/1.JPG"].size == 7
    assert sorted(folders(storage)) == ["a", "b 50%#"]


def test_a_dangling_link_is_an_image_and_an_unreadable_folder_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shut").mkdir()
    (tmp_path / "gone.jpg").symlink_to("nothing")
    scan = os.scandir

    def guarded(path: Path) -> object:
        if Path(path).name == "shut":
            raise PermissionError(path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", guarded)
    entries = list(walk(Storage(str(tmp_path)), WHOLE, frozenset({".jpg"})))
    assert sorted((entry.name, entry.size, entry.ignored) for entry in entries if entry.name) == [
        ("gone.jpg", None, None)
    ]
    assert [entry.ignored for entry in entries if not entry.name] == ["unreadable folder"]


def test_a_flat_root_of_many_files_needs_no_folders(spark: SparkSession, tmp_path: Path) -> None:
    for number in range(300):
        (tmp_path / f"{number}.jpg").touch()
    given = source(_files(tmp_path))
    assert given.images(spark).count() == 300
    assert given.ignored(spark) == Ignored()


def test_a_root_without_images_is_a_fault_that_names_key_and_fix(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.txt").touch()
    for root, said in (
        (tmp_path / "no", "does not exist"),
        (tmp_path / "deep" / "a.txt", "is not a folder"),
        (tmp_path, "holds no image"),
    ):
        with pytest.raises(ConfigError, match=rf"images\.root: .*{said}\. Give "):
            source(_files(root)).check()


def test_a_relative_root_means_the_same_to_a_worker_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.jpg").write_bytes(b"here")
    monkeypatch.chdir(tmp_path)
    fetch = source(_files(".")).fetch()
    monkeypatch.chdir("/")
    assert fetch("a.jpg") == b"here"


def _parquet(root: Path, **columns: pa.Array) -> Images:
    root.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), root / f"{len(list(root.iterdir()))}.parquet")
    return Images(root=str(root), format="parquet")


def test_a_parquet_set_carries_its_content(spark: SparkSession, tmp_path: Path) -> None:
    root = tmp_path / "set [1]*"
    _parquet(root, uri=pa.array(["a", "b/c"]), bytes=pa.array([b"one", None], pa.binary()), identity=["p", None])
    given = source(_parquet(root, uri=pa.array(["d"]), bytes=pa.array([b""]), identity=["q"]))
    given.check()
    rows = sorted(map(tuple, given.images(spark).collect()))
    assert rows == [("a", 3, None, "p", b"one"), ("b/c", 0, None, None, None), ("d", 0, None, "q", b"")]
    fetch = pickle.loads(pickle.dumps(given.fetch()))
    assert fetch("a") == b"one"
    for absent in ("b/c", "nowhere"):
        with pytest.raises(OSError):
            fetch(absent)


def test_a_parquet_set_without_identity_has_none(spark: SparkSession, tmp_path: Path) -> None:
    given = source(_parquet(tmp_path, uri=pa.array(["a"]), bytes=pa.array([b"one"])))
    given.check()
    assert given.images(spark).collect()[0].identity is None


def test_a_foreign_parquet_set_is_a_fault_that_names_the_columns(tmp_path: Path) -> None:
    wrong = _parquet(tmp_path / "wrong", path=pa.array(["a"]), bytes=pa.array([1]), identity=pa.array([7]))
    empty = _parquet(tmp_path / "empty", uri=pa.array([], pa.string()), bytes=pa.array([], pa.binary()))
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "a.parquet").write_text("text")
    (tmp_path / "nothing").mkdir()
    for images, said in (
        (wrong, "column uri is missing; column bytes is int64, not binary; column identity is int64, not string"),
        (empty, "there is no row"),
        (Images(root=str(tmp_path / "text"), format="parquet"), "cannot be read as Parquet"),
        (Images(root=str(tmp_path / "nothing"), format="parquet"), "column uri is missing"),
    ):
        with pytest.raises(ConfigError) as caught:
            source(images).check()
        assert caught.value.faults[0].key == "images.root"
        assert said in str(caught.value)

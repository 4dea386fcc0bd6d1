from __future__ import annotations

import os
import pickle
from datetime import UTC, datetime
from pathlib import Path

import pytest
from odd_tree import IMAGES, ODD
from packed import gzipped, tar, zipped
from pyspark.sql import SparkSession

from facesieve.core.errors import ConfigError
from facesieve.core.sections import Images
from facesieve.images.identity import identity_rule
from facesieve.images.links import walk_all
from facesieve.images.protocol import SOURCE_IMAGES, Ignored, IgnoredKind, Sort
from facesieve.images.rules import Rules
from facesieve.images.sources import archives_of, source
from facesieve.images.storage import Storage
from facesieve.images.uris import to_name


def _files(root: Path | str) -> Images:
    return Images(root=str(root))


def test_a_tree_is_walked_by_tasks_and_every_file_is_an_image_or_ignored(spark: SparkSession, tree: Path) -> None:
    images = source(_files(tree))
    images.check()
    frame = images.images(spark)
    assert frame.dtypes == [(column.name, column.dataType.simpleString()) for column in SOURCE_IMAGES]
    rows = {row.uri: row for row in frame.collect()}
    assert set(rows) == IMAGES
    assert rows[ODD].size == (tree / ODD).stat().st_size
    assert rows["flat.jpg"].modified == datetime.fromtimestamp(1_500_000_000, UTC).replace(
        tzinfo=None, microsecond=123456
    )
    assert all(row.identity is None and row.content is None for row in rows.values())
    fetch = pickle.loads(pickle.dumps(images.fetch()))
    contents = {uri: Path(os.fsdecode(os.path.join(os.fsencode(tree), to_name(uri)))).read_bytes() for uri in rows}
    assert {uri: fetch(uri) for uri in rows} == contents
    ignored = images.ignored(spark)
    assert ignored.files == 5
    assert IgnoredKind("link out of the root", Sort.MAYBE, 1, "a/out.jpg") in ignored.kinds


def test_a_flat_root_of_many_files_needs_no_folders(spark: SparkSession, tmp_path: Path) -> None:
    for number in range(300):
        (tmp_path / f"{number}.jpg").touch()
    images = source(_files(tmp_path))
    assert images.images(spark).count() == 300
    assert images.ignored(spark) == Ignored()


def test_a_root_without_images_is_a_fault_that_names_key_and_fix(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.txt").touch()
    for root, problem in (
        (tmp_path / "no", "does not exist"),
        (tmp_path / "deep" / "a.txt", "is not a folder"),
        (tmp_path, "holds no image, but 1 .txt"),
    ):
        with pytest.raises(ConfigError, match=rf"images\.root: .*{problem}\. Give "):
            source(_files(root)).check()


def test_a_root_of_archives_or_links_says_what_is_there_and_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.rar").touch()
    with pytest.raises(ConfigError, match=r"images\.root: .* holds no image, but 1 \.rar\. .* unpack others"):
        source(_files(tmp_path / "a")).check()
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "1.jpg").symlink_to("../a/1.rar")
    with pytest.raises(ConfigError, match=r"holds no image, but 1 link out of the root\. images\.follow_links = true "):
        source(_files(tmp_path / "b")).check()
    source(Images(root=str(tmp_path / "b"), follow_links=True)).check()


def test_links_are_followed_by_tasks_as_by_one_process(spark: SparkSession, tmp_path: Path) -> None:
    root = tmp_path / "root"
    for number in range(9):
        for name in (root / f"p{number}/1.jpg", tmp_path / f"store/{number}/deep/2.jpg"):
            name.parent.mkdir(parents=True)
            name.write_bytes(str(number).encode())
        (root / f"l{number}").symlink_to(tmp_path / f"store/{number}")
        (tmp_path / f"store/{number}/back").symlink_to(root)
    (root / "p0/again").symlink_to(tmp_path / "store")
    (root / "p1/3.jpg").symlink_to(tmp_path / "store/1/deep/2.jpg")
    images = source(Images(root=str(root), follow_links=True))
    uris = sorted(row.uri for row in images.images(spark).collect())
    whole = list(walk_all(Storage(str(root)), Rules.of(Images(root="", follow_links=True))))
    assert uris == sorted(entry.uri for entry in whole if not entry.ignored)
    assert {f"l{number}/deep/2.jpg" for number in range(9)} | {"p1/3.jpg"} < set(uris)
    assert len(uris) == 19
    (kind,) = images.ignored(spark).kinds
    assert kind == IgnoredKind("link to a folder that is listed already", Sort.NO_IMAGE, 9, "l0/back")
    assert images.fetch()("l3/deep/2.jpg") == b"3"


def test_a_relative_root_means_the_same_to_a_worker_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.jpg").write_bytes(b"here")
    monkeypatch.chdir(tmp_path)
    fetch = source(_files(".")).fetch()
    monkeypatch.chdir("/")
    assert fetch("a.jpg") == b"here"


def test_archives_are_gone_into_by_tasks_and_count_as_folders(spark: SparkSession, tmp_path: Path) -> None:
    files = {"Ann/1.jpg": b"1", "2.jpg": b"2", "Ann/notes.txt": b"x"}
    for name, content in (("Bea.zip", zipped(files)), ("c.tar.gz", gzipped(tar(files))), ("d.tar", tar(files)[:1600])):
        (tmp_path / name).write_bytes(content)
    (tmp_path / "Eve").mkdir()
    (tmp_path / "Eve" / "1.jpg").write_bytes(b"loose")
    images = source(_files(tmp_path))
    images.check()
    rows = {row.uri: row for row in images.images(spark).collect()}
    whole = {f"{name}!/{member}" for name in ("Bea.zip", "c.tar.gz", "d.tar") for member in ("Ann/1.jpg", "2.jpg")}
    assert set(rows) == {*whole, "Eve/1.jpg", "d.tar"}
    assert rows["Bea.zip!/2.jpg"].modified == rows["Bea.zip!/Ann/1.jpg"].modified is not None
    assert images.ignored(spark) == Ignored((IgnoredKind(".txt", Sort.NO_IMAGE, 2, "Bea.zip!/Ann/notes.txt"),))
    rule = identity_rule(_files(tmp_path))
    assert [rule(uri, None) for uri in ("Bea.zip!/2.jpg", "c.tar.gz!/Ann/1.jpg", "d.tar")] == ["Bea", "Ann", None]
    state = images.state(spark)
    (tmp_path / "Bea.zip").write_bytes(zipped({"Ann/1.jpg": b"1"}))
    again = source(_files(tmp_path))
    assert (again.state(spark) != state, again.count(spark), archives_of(again, spark)) == (True, 7, 3)


def test_an_archive_may_be_the_root_and_counts_as_no_folder(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "lfw.zip").write_bytes(zipped({"Ann/1.jpg": b"1", "2.jpg": b"2"}))
    (tmp_path / "other.jpg").write_bytes(b"x")
    settings = _files(tmp_path / "lfw.zip")
    images = source(settings)
    images.check()
    rule = identity_rule(settings)
    rows = images.images(spark).collect()
    assert {row.uri: rule(row.uri, row.identity) for row in rows} == {
        "lfw.zip!/Ann/1.jpg": "Ann",
        "lfw.zip!/2.jpg": None,
    }
    assert images.fetch()("lfw.zip!/2.jpg") == b"2"


def test_only_broken_archives_are_a_fault_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zipped({"1.jpg": b"1"})[:50])
    with pytest.raises(ConfigError, match=r"holds no image that can be read; a\.zip: it is no zip archive"):
        source(_files(tmp_path / "a.zip")).check()
    (tmp_path / "b.tar").write_bytes(tar({"1.jpg": b"1"}))
    source(_files(tmp_path)).check()

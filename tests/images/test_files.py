from __future__ import annotations

import os
import pickle
from datetime import UTC, datetime
from pathlib import Path

import pytest
from odd_tree import IMAGES, ODD
from pyspark.sql import SparkSession

from facesieve.core.errors import ConfigError
from facesieve.core.sections import Images
from facesieve.images.links import walk_all
from facesieve.images.protocol import SOURCE_IMAGES, Ignored, IgnoredKind, Sort
from facesieve.images.rules import Rules
from facesieve.images.sources import source
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
    (tmp_path / "a" / "1.zip").touch()
    with pytest.raises(ConfigError, match=r"images\.root: .* holds no image, but 1 \.zip\. Unpack "):
        source(_files(tmp_path / "a")).check()
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "1.jpg").symlink_to("../a/1.zip")
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

from __future__ import annotations

import pickle
from datetime import UTC, datetime
from pathlib import Path

import pytest
from odd_tree import IMAGES, ODD
from pyspark.sql import SparkSession

from facesieve.core.errors import ConfigError
from facesieve.core.sections import Images
from facesieve.images.protocol import SOURCE_IMAGES, Ignored, IgnoredKind, Sort
from facesieve.images.sources import source


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
    assert {uri: fetch(uri) for uri in rows} == {uri: (tree / uri).read_bytes() for uri in rows}
    ignored = images.ignored(spark)
    assert ignored.files == 6
    assert IgnoredKind("link out of the root", Sort.MAYBE, 1) in ignored.kinds


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
        (tmp_path, "holds no image"),
    ):
        with pytest.raises(ConfigError, match=rf"images\.root: .*{problem}\. Give "):
            source(_files(root)).check()


def test_a_relative_root_means_the_same_to_a_worker_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.jpg").write_bytes(b"here")
    monkeypatch.chdir(tmp_path)
    fetch = source(_files(".")).fetch()
    monkeypatch.chdir("/")
    assert fetch("a.jpg") == b"here"

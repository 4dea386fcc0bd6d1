from __future__ import annotations

from pathlib import Path

import pytest
from packed import gzipped, tar, zipped
from pyspark.sql import SparkSession

from facesieve.core.errors import ConfigError
from facesieve.core.sections import Images
from facesieve.images.identity import identity_rule
from facesieve.images.protocol import IgnoredKind, Sort
from facesieve.images.sources import archives_of, source


def _settings(root: Path) -> Images:
    return Images(root=str(root), format="webdataset")


def test_shards_are_listed_by_tasks_with_their_labels(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    for shard in range(3):
        files = {f"J.Lo_{shard}.jpg": b"1", f"J.Lo_{shard}.cls": b"Jen", f"{shard}.png": b"2", f"{shard}.cls": b"7"}
        content = tar({**files, f"{shard}.npy": b"x", f"{shard}b.cls": b"8"})
        name, content = ("2.tar.gz", gzipped(content)) if shard == 2 else (f"{shard}.tar", content)
        (tmp_path / "train" / name).write_bytes(content)
    (tmp_path / "beside.jpg").write_bytes(b"x")
    images = source(_settings(tmp_path))
    images.check()
    rows = {row.uri: (row.identity, row.size) for row in images.images(spark).collect()}
    assert rows == {
        **{f"train/{name}!/J.Lo_{name[0]}.jpg": ("Jen", 1) for name in ("0.tar", "1.tar", "2.tar.gz")},
        **{f"train/{name}!/{name[0]}.png": ("7", 1) for name in ("0.tar", "1.tar", "2.tar.gz")},
        **{f"train/{name}!/{name[0]}b.*": (None, 0) for name in ("0.tar", "1.tar", "2.tar.gz")},
    }
    assert images.ignored(spark).kinds == (
        IgnoredKind(".npy", Sort.NO_IMAGE, 3, "train/0.tar!/0.npy"),
        IgnoredKind("image file", Sort.MAYBE, 1, "beside.jpg"),
    )
    assert (images.count(spark), archives_of(images, spark)) == (9, 3)
    assert images.fetch()("train/2.tar.gz!/2.png") == b"2"
    assert images.state(spark) is not None


def test_one_shard_may_be_the_root(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "0.tar").write_bytes(tar({"1.jpg": b"1", "1.cls": b"Ann"}))
    (tmp_path / "1.tar").write_bytes(tar({"2.jpg": b"2"}))
    images = source(_settings(tmp_path / "0.tar"))
    images.check()
    assert [(row.uri, row.identity) for row in images.images(spark).collect()] == [("0.tar!/1.jpg", "Ann")]
    assert images.fetch()("0.tar!/1.jpg") == b"1"


def test_the_name_of_the_source_is_the_identity() -> None:
    assert identity_rule(Images(format="webdataset"))("a.tar!/x/1.jpg", "Ann") == "Ann"
    assert identity_rule(Images(format="webdataset"))("a.tar!/x/1.jpg", None) is None


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("1.jpg", b"x", r"holds no image, but 1 image file\. images\.format = \"files\" "),
        ("1.zip", zipped({"1.jpg": b"1"}), r"holds no image, but 1 \.zip\. images\.format = \"files\" "),
        (
            "1.tar",
            b"<html>",
            r"holds no image that can be read; 1\.tar: the archive is cut: .*\. Copy ",
        ),
        ("1.tar", tar({}), r"holds no image\. Give "),
    ],
)
def test_a_root_without_samples_says_what_is_there(name: str, content: bytes, problem: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError, match=problem):
        source(_settings(tmp_path)).check()

"""Spellings of a uri: the literal one first, then what lies below the root."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from facesieve.images.spelled_uris import listed_uris, spellings


@pytest.mark.parametrize(
    ("uri", "root", "other"),
    [
        ("a/1.jpg", "/data", None),
        ("./a/1.jpg", "/data", "a/1.jpg"),
        ("a//b/../1.jpg", "/data", "a/1.jpg"),
        ("../1.jpg", "/data", None),
        (".", "/data", None),
        ("/data/a/1.jpg", "/data/", "a/1.jpg"),
        ("/data/a/1.jpg", "file:///data", "a/1.jpg"),
        ("file:///data/a%20b/1.jpg", "/data", "a b/1.jpg"),
        ("file:/data/a/1.jpg", "/data", "a/1.jpg"),
        ("/database/1.jpg", "/data", None),
        ("/data", "/data", None),
        ("a\\b\\1.jpg", "/data", "a/b/1.jpg"),
        (".\\a\\1.jpg", "/data", "a/1.jpg"),
        ("s3a://bucket/set/a/1.jpg", "s3a://bucket/set", "a/1.jpg"),
        ("s3a://other/set/a/1.jpg", "s3a://bucket/set", None),
        ("s3a://bucket/a.jpg", "/data", None),
        ("/data/a.jpg", "s3a://bucket", None),
        ("file:///data/a.jpg", "s3a://bucket", None),
        (" a/1.jpg", "/data", None),
    ],
)
def test_what_a_cell_may_mean(uri: str, root: str, other: str | None) -> None:
    assert spellings(uri, root) == ((uri,) if other is None else (uri, other))


def test_links_and_relative_roots_are_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    monkeypatch.chdir(tmp_path)
    for root in ("link", "./link", str(tmp_path / "link")):
        for written in (tmp_path / "link/a.jpg", tmp_path / "real/a.jpg"):
            assert spellings(str(written), root) == (str(written), "a.jpg"), root


@given(st.text(min_size=1))
def test_the_literal_uri_comes_first_and_nothing_leads_out(uri: str) -> None:
    first, *others = spellings(uri, "/data")
    assert first == uri
    assert not any(other.startswith(("/", "../")) or other in ("", "..") for other in others)


def test_what_a_side_table_means_is_found_among_the_images(spark: SparkSession) -> None:
    images = spark.createDataFrame([("a/1.jpg",), ("a/2.jpg",), ("./a/2.jpg",)], "uri string")
    written = ["/data/a/1.jpg", "./a/2.jpg", "a/1.jpg", "a\\2.jpg", "./a/3.jpg"]
    meant = {"/data/a/1.jpg": "a/1.jpg", "a\\2.jpg": "a/2.jpg"}
    assert listed_uris(written, images, "/data") == meant
    assert listed_uris(["a/1.jpg", "a/9.jpg"], images, "/data") == {}

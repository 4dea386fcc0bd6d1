"""Identities from a file: for any source, by the uri as it is written, or as it is meant."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from facesieve.core.errors import ConfigError
from facesieve.images.labels import KEY, LabelRow, labelled, read_labels
from facesieve.images.protocol import SOURCE_IMAGES, SourceImages

URIS = ("a/1.jpg", "a/2.jpg", "b\\3.jpg", "b/3.jpg", "4.jpg")


def _images(spark: SparkSession) -> SourceImages:
    rows = [(uri, 1, None, "own", bytearray(b"x")) for uri in URIS]
    return SourceImages(spark.createDataFrame(rows, SOURCE_IMAGES))


def _file(tmp_path: Path, text: str) -> str:
    (tmp_path / "labels").write_text(text)
    return str(tmp_path / "labels")


def test_rows_take_the_place_of_the_sources_own_names(spark: SparkSession, tmp_path: Path) -> None:
    text = "uri,identity\n./a/1.jpg,Ann\n/data/a/2.jpg,Bea\nb\\3.jpg,Cid\nb/3.jpg,Dan\ngone.jpg,Eve\n"
    named = labelled(_images(spark), read_labels(_file(tmp_path, text)), "/data")
    images = named.of(_images(spark))
    assert images.schema == SOURCE_IMAGES
    assert {row.uri: row.identity for row in images.collect()} == {
        "a/1.jpg": "Ann",
        "a/2.jpg": "Bea",
        "b\\3.jpg": "Cid",
        "b/3.jpg": "Dan",
        "4.jpg": None,
    }
    assert (named.unlabelled, named.missing) == (1, 1)
    assert {bytes(row.content) for row in images.collect()} == {b"x"}


def test_an_image_whose_row_names_nobody_is_unlabelled(spark: SparkSession, tmp_path: Path) -> None:
    named = labelled(_images(spark), read_labels(_file(tmp_path, "uri,identity\n4.jpg,\na/1.jpg,Ann\n")), "/data")
    assert (named.unlabelled, named.missing) == (4, 0)


def test_lines_as_celeba_has_them_and_parquet(spark: SparkSession, tmp_path: Path) -> None:
    lines = read_labels(_file(tmp_path, "4.jpg 2880\na/1.jpg 0007\n"))
    assert lines.rows == (LabelRow("line 1", "4.jpg", "2880"), LabelRow("line 2", "a/1.jpg", "0007"))
    table = pa.table({"uri": ["a/1.jpg", "a/2.jpg", "4.jpg"], "identity": [7.0, float("nan"), 2880.0]})
    pq.write_table(table, tmp_path / "labels.parquet")  # whole numbers with a gap, as pandas writes them
    rows = read_labels(str(tmp_path / "labels.parquet")).rows
    assert [row.identity for row in rows] == ["7", None, "2880"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("uri,identity\na,Ann\na,Bea\n", "line 2 and line 3 give a two identities"),
        ("uri,name\na,Ann\n", "has no column identity"),
        ("uri,identity\n,Ann\n", "line 2 names no image"),
    ],
)
def test_what_is_wrong_in_the_file(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem) as caught:
        read_labels(_file(tmp_path, text))
    assert {fault.key for fault in caught.value.faults} == {KEY}


def test_equal_rows_twice_are_one(spark: SparkSession, tmp_path: Path) -> None:
    named = labelled(_images(spark), read_labels(_file(tmp_path, "uri,identity\n4.jpg,Ann\n4.jpg,Ann\n")), "/data")
    assert (named.of(_images(spark)).count(), named.unlabelled, named.missing) == (5, 4, 0)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("uri,identity\nx.jpg,Ann\n", "no row of .* names an image of images.root"),
        ("uri,identity\n4.jpg,Ann\n./4.jpg,Bea\n", "gives 1 images two identities, under two spellings"),
    ],
)
def test_what_does_not_fit_the_images(spark: SparkSession, tmp_path: Path, text: str, problem: str) -> None:
    table = read_labels(_file(tmp_path, text))
    with pytest.raises(ConfigError, match=problem):
        labelled(_images(spark), table, "/data")


def test_no_file_is_named() -> None:
    assert read_labels("").rows == ()

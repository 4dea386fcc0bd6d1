"""The content of images is that which was listed, or it is said what is wrong."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from facesieve.core.sections import Images
from facesieve.images.listed_content import listed_content, with_content
from facesieve.images.sources import source
from facesieve.images.storage import Storage


def test_a_file_that_is_gone_or_has_changed_says_so(tmp_path: Path) -> None:
    for name in ("h1.jpg", "h2.jpg"):
        (tmp_path / name).write_text(name)
    listed, read = hashlib.sha256(b"h1.jpg").hexdigest(), Storage(str(tmp_path)).read
    assert listed_content("h1.jpg", listed, read) == (b"h1.jpg", None)
    assert listed_content("h2.jpg", listed, read) == (None, "has changed")
    assert listed_content("nowhere.jpg", listed, read) == (None, "cannot be read")


@pytest.mark.parametrize(("form", "content"), [("files", None), ("parquet", b"x")])
def test_rows_get_the_content_that_their_source_carries(
    spark: SparkSession, tmp_path: Path, form: str, content: bytes | None
) -> None:
    root = str(tmp_path / "set")
    spark.createDataFrame([("a.jpg", b"x")], "uri string, bytes binary").write.parquet(root)
    listed = spark.createDataFrame([("a.jpg", 1)], "uri string, number int")
    rows = with_content(listed, source(Images(root=root, format=form))).collect()
    assert [(row.number, row.content and bytes(row.content)) for row in rows] == [(1, content)]

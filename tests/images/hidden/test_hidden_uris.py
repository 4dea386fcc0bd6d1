"""Uris are hidden and shown again; without a seal they stay."""

from __future__ import annotations

from pyspark.sql import SparkSession

from facesieve.core.hidden_paths import PathSeal, is_hidden
from facesieve.images.hidden.hidden_uris import hidden_uris, shown_uris

SEAL = PathSeal(b"k" * 32)


def test_uris_are_hidden_and_shown_again(spark: SparkSession) -> None:
    images = spark.createDataFrame([("Ann/1.jpg", 1), (None, 2)], "uri string, size int")
    hidden = hidden_uris(images, SEAL)
    rows = {row["size"]: row.uri for row in hidden.collect()}
    assert is_hidden(rows[1])
    assert rows[2] is None
    assert shown_uris(hidden, SEAL).collect() == images.collect()
    assert hidden_uris(images, None) is images
    assert shown_uris(images, None) is images

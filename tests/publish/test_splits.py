"""Splits: the share of each part, by the id alone, as anybody can compute it anew."""

from __future__ import annotations

import hashlib

from pyspark.sql import SparkSession

from facesieve.core.sections import Publish
from facesieve.publish.splits import split_of

IDS = [(f"né {number % 97}", number * 7_919 - 2**62) for number in range(2_000)]


def part(name: str, test: float = 0.2, validation: float = 0.3) -> str:
    """The part of an id, by its SHA-256."""
    place = int(hashlib.sha256(name.encode()).hexdigest()[:13], 16) / 16**13
    return "test" if place < test else "validation" if place < test + validation else "train"


def parts(spark: SparkSession, ids: list[tuple[str, int]], by: str) -> list[str]:
    column = split_of(Publish(split=by, test=0.2, validation=0.3))
    assert column is not None
    rows = spark.createDataFrame(ids, "identity string, image_id bigint").select(column.alias("part"))
    return [row.part for row in rows.collect()]


def test_the_part_hangs_on_the_id_alone(spark: SparkSession) -> None:
    by_image = parts(spark, IDS, "image")
    assert by_image == [part(str(image)) for _, image in IDS]
    assert [round(by_image.count(name) / len(IDS), 1) for name in ("train", "validation", "test")] == [0.5, 0.3, 0.2]
    assert parts(spark, IDS, "identity") == [part(identity) for identity, _ in IDS]


def test_without_a_split_there_is_no_column() -> None:
    assert split_of(Publish()) is None

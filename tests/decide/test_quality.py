"""What is doubted about a face."""

from __future__ import annotations

from deciding import rows_of
from pyspark.sql import SparkSession

from facesieve.core.sections import Decide
from facesieve.core.tables import EMBEDDINGS
from facesieve.decide.quality import doubts

SETTINGS = Decide(small_box=40.0, low_confidence=0.875, blurred=10.0, extreme_aspect=2.0)


def test_what_is_beyond_a_limit_is_doubted_and_what_was_not_measured_is_not(spark: SparkSession) -> None:
    square, flat = {"width": 40.0, "height": 40.0}, {"width": 81.0, "height": 40.0}
    small = {"width": 39.0, "height": 40.0}
    rows: list[dict[str, object]] = [
        {"box": square, "confidence": 0.875, "sharpness": 10.0},
        {"box": flat, "confidence": 0.8, "sharpness": 9.0, "reasons": ["blurred", "a doubt of old"]},
        {"box": small},
        {},
    ]
    doubted = rows_of(spark, EMBEDDINGS.columns, rows).select(doubts(SETTINGS)).collect()
    expected = [[], ["a doubt of old", "blurred", "extreme_aspect", "low_confidence"], ["small_box"], []]
    assert [row[0] for row in doubted] == expected

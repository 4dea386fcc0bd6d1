"""Verdicts and reasons: a closed vocabulary."""

from __future__ import annotations

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from facesieve.core.reasons import PUBLISHED, REJECTING, Reason, Verdict, is_published


def test_kept_and_moved_images_are_published(spark: SparkSession) -> None:
    verdicts = spark.createDataFrame([(verdict.value,) for verdict in Verdict] + [(None,)], "verdict string")
    published = verdicts.select("verdict", is_published(F.col("verdict")).alias("published")).collect()
    assert {row.verdict for row in published if row.published} == {"keep", "move"} == set(PUBLISHED)
    assert [row.published for row in published if row.verdict is None] == [None]


def test_words_stand_for_themselves() -> None:
    for word in (*Verdict, *Reason):
        assert word.value == word.name.lower()
    assert all(isinstance(reason, Reason) for reason in REJECTING)

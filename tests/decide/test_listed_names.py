"""Names of people in side tables mean the identity that they meet."""

from __future__ import annotations

from pyspark.sql import SparkSession

from facesieve.decide.listed_names import listed_names

COMPOSED, DECOMPOSED = "Zo\u00e9", "Zoe\u0301"


def test_a_name_means_the_identity_that_it_meets(spark: SparkSession) -> None:
    images = spark.createDataFrame([(DECOMPOSED,), (DECOMPOSED,), ("ANN",), (None,), ("Bob",)], "identity string")
    names = [COMPOSED, "Ann ", "Bob", "Cid", "bob"]
    assert listed_names(names, images) == {COMPOSED: DECOMPOSED, "Ann ": "ANN", "bob": "Bob"}
    assert listed_names([], images) == {}

"""Which folders Hugging Face's ImageFolder takes for a part of the data set."""

from __future__ import annotations

from pyspark.sql import SparkSession

from facesieve.publish.split_words import is_split_word

MISLEADING = ["val_kilmer", "dev.patel", "test", "eval-1", "ann test", "train2", "1training", "x_valid_y"]
PLAIN = ["Val_Kilmer", "valentina", "Ann", "devon", "contest", "testament", "cluster-7", "", "evaluations"]


def test_a_word_counts_where_it_stands_alone(spark: SparkSession) -> None:
    names = spark.createDataFrame([(name,) for name in MISLEADING + PLAIN], "name string")
    rows = names.select("name", is_split_word(names["name"]).alias("misleads")).collect()
    assert {row.name for row in rows if row.misleads} == set(MISLEADING)

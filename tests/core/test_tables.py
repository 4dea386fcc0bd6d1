"""The tables' declarations, and what is told of a frame that differs."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import types as T

from facesieve.core import tables
from facesieve.core.errors import ContractError


def test_every_table_has_its_key_and_partitions_among_its_columns() -> None:
    assert len({table.name for table in tables.ALL}) == len(tables.ALL) == 11
    for table in tables.ALL:
        partition = [each.removeprefix("bucket(").removesuffix(")") for each in table.partition]
        assert {*table.key, *partition} <= set(table.columns.names)


def test_differences_name_what_is_missing_and_what_has_another_type() -> None:
    columns = [field for field in tables.VOTES.columns if field.name != "votes"]
    schema = T.StructType([*columns[:-1], T.StructField("score", T.DoubleType()), T.StructField("more", T.LongType())])
    assert tables.differences(tables.VOTES, schema) == [
        "votes.score is double, expected float",
        "votes.votes is missing (expected boolean)",
    ]
    assert tables.differences(tables.VOTES, tables.VOTES.columns) == []


def test_a_frame_is_brought_into_the_declared_order(spark: SparkSession) -> None:
    votes = spark.createDataFrame(
        [(9, True, 0.5, 2, 1, "global")], "more int, votes boolean, score float, dst long, src long, scope string"
    )
    assert tables.conform(votes, tables.VOTES).collect() == [("global", 1, 2, 0.5, True)]
    with pytest.raises(ContractError, match=r"votes\.src is missing.*; votes\.dst is missing"):
        tables.conform(votes.drop("src", "dst"), tables.VOTES)

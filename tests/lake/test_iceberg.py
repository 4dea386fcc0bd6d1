"""Iceberg's own library: snapshots, branches, properties."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession
from small_lake import edges

from facesieve.core import tables
from facesieve.core.errors import ContractError
from facesieve.lake import iceberg
from facesieve.lake.catalog import Lake
from facesieve.lake.iceberg import MAIN, IcebergTable


@pytest.fixture
def name(lake: Lake) -> str:
    return f"{lake._namespace}.{tables.EDGES.name}"


@pytest.fixture
def table(spark: SparkSession, name: str) -> IcebergTable:
    return iceberg.existing(spark, name)


def ids(spark: SparkSession, name: str) -> list[int]:
    return [commit.id for commit in iceberg.existing(spark, name).commits()]


def test_a_table_that_is_not_there(spark: SparkSession, lake: Lake) -> None:
    for name in (f"{lake._namespace}.nothing", "lake.nowhere.edges"):
        assert iceberg.load(spark, name) is None
        with pytest.raises(ContractError, match="has vanished"):
            iceberg.existing(spark, name)


def test_branches_move_apart_and_main_catches_up(spark: SparkSession, name: str, table: IcebergTable) -> None:
    first = table.current()
    assert first is not None
    table.create_branch("aside", first.id)
    table.append_nothing("aside", {"facesieve.key": "k"})
    table = iceberg.existing(spark, name)
    ahead = table.current("aside")
    assert ahead is not None
    assert (ahead.parent, ahead.summary["facesieve.key"]) == (first.id, "k")
    assert (table.current(), table.current("nothing")) == (first, None)
    table.fast_forward("aside")
    table = iceberg.existing(spark, name)
    assert (table.current(MAIN), table.current("aside")) == (ahead, None)
    table.make_current(first.id)
    assert iceberg.existing(spark, name).current() == first
    assert ids(spark, name) == [first.id, ahead.id]


def test_only_chosen_branches_are_dropped(spark: SparkSession, name: str, table: IcebergTable) -> None:
    first = table.current()
    assert first is not None
    for branch in ("a1", "a2", "b"):
        iceberg.existing(spark, name).create_branch(branch, first.id)
    iceberg.existing(spark, name).drop_branches(lambda branch: branch.startswith("a"))
    here = iceberg.existing(spark, name)
    assert [here.current(branch) for branch in ("a1", "a2", "b", MAIN)] == [None, None, first, first]


def test_a_table_grew_if_nothing_but_appends_lie_between(spark: SparkSession, name: str) -> None:
    for number in range(2):
        edges(spark, 0.5 + number / 8).writeTo(name).append()
    edges(spark, 0.25).writeTo(name).overwritePartitions()
    edges(spark, 0.75).writeTo(name).append()
    first, one_more, two_more, replaced, last = ids(spark, name)
    table = iceberg.existing(spark, name)
    assert table.grew_from(first, two_more) == first
    assert table.grew_from(one_more, one_more) == one_more
    assert table.grew_from(replaced, last) == replaced
    assert table.grew_from(two_more, last) is None
    assert table.grew_from(two_more, one_more) is None, "it went back"
    assert table.grew_from(7, last) is None, "it is gone"


def test_properties_that_somebody_has_set_stay(spark: SparkSession, name: str, table: IcebergTable) -> None:
    table.add_properties({"write.parquet.compression-codec": "gzip", "mine": "1"})
    properties = {row.key: row.value for row in spark.sql(f"SHOW TBLPROPERTIES {name}").collect()}
    assert (properties["write.parquet.compression-codec"], properties["mine"]) == ("zstd", "1")


def test_a_table_of_a_newer_format_stays_one(spark: SparkSession, lake: Lake, name: str) -> None:
    """A catalog, or its owner, may move a table on: to ask for the former format is an error of Iceberg."""
    spark.sql(f"ALTER TABLE {name} SET TBLPROPERTIES ('format-version' = '3')")
    lake.tidy(tables.EDGES)
    iceberg.existing(spark, name).add_properties({"format-version": "2", "mine": "1"})
    properties = {row.key: row.value for row in spark.sql(f"SHOW TBLPROPERTIES {name}").collect()}
    assert (properties["format-version"], properties["mine"]) == ("3", "1")

"""The lake: commits by key, going back, refusal when a table moved, foreign tables."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F
from small_lake import cosines, edges, refs

from facesieve.core import sections, tables
from facesieve.core.errors import ConfigError, ContractError, Refused
from facesieve.core.tables import Table
from facesieve.lake.catalog import Lake, Snapshot, Stamp


def test_a_new_table_stands_at_an_empty_snapshot(lake: Lake) -> None:
    first = lake.snapshot(tables.EDGES)
    assert (first.key, cosines(lake, first)) == ("", [])
    assert lake.current(tables.VOTES) is None
    assert lake.find(tables.VOTES, "k") is None


def test_overwrite_append_find_and_go_back(spark: SparkSession, lake: Lake) -> None:
    empty = lake.snapshot(tables.EDGES)
    first = lake.overwrite(tables.EDGES, edges(spark, 0.5), Stamp("r1", "a", {"listing": 7}), empty)
    second = lake.overwrite(tables.EDGES, edges(spark, 0.25), Stamp("r2", "b", {}), first)
    third = lake.append(tables.EDGES, edges(spark, 0.75), Stamp("r2", "c", {}), second)
    assert cosines(lake, first) == [0.5]
    assert cosines(lake, third) == [0.25, 0.75]
    assert lake.find(tables.EDGES, "a") == first
    assert (first.run, first.inputs) == ("r1", {"listing": 7})
    lake.make_current(tables.EDGES, first, third)
    assert lake.snapshot(tables.EDGES) == first
    assert lake.find(tables.EDGES, "c") == third


def test_a_table_that_moved_is_refused_and_left_alone(spark: SparkSession, lake: Lake) -> None:
    since = lake.snapshot(tables.EDGES)
    other = lake.overwrite(tables.EDGES, edges(spark, 0.5), Stamp("other", "o", {}), since)
    for attempt in (
        lambda: lake.overwrite(tables.EDGES, edges(spark, 0.1), Stamp("mine", "m", {}), since),
        lambda: lake.append(tables.EDGES, edges(spark, 0.1), Stamp("mine", "m", {}), since),
        lambda: lake.make_current(tables.EDGES, since, since),
    ):
        with pytest.raises(Refused, match="edges"):
            attempt()
    assert lake.snapshot(tables.EDGES) == other


def test_a_table_that_moves_while_rows_are_written_is_refused(
    spark: SparkSession, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fast-forwarding itself must refuse, whatever was checked before."""
    since = lake.snapshot(tables.EDGES)
    intruder = Lake(spark, lake._settings)
    monkeypatch.setattr(lake, "unmoved", lambda _table, since: since)
    fast_forward = lake._fast_forward

    def late(table: Table, branch: str) -> None:
        intruder.overwrite(table, edges(spark, 0.9), Stamp("other", "o", {}), since)
        fast_forward(table, branch)

    monkeypatch.setattr(lake, "_fast_forward", late)
    with pytest.raises(Refused):
        lake.overwrite(tables.EDGES, edges(spark, 0.1), Stamp("mine", "m", {}), since)
    assert lake.snapshot(tables.EDGES).run == "other"
    assert refs(spark, lake) == {"main"}


def test_a_table_made_before_row_deletes_learns_them_and_keeps_what_it_was_told(
    spark: SparkSession, lake: Lake
) -> None:
    name = f"{lake._namespace}.edges"
    spark.sql(f"ALTER TABLE {name} UNSET TBLPROPERTIES ('write.delete.mode')")
    spark.sql(f"ALTER TABLE {name} SET TBLPROPERTIES ('write.parquet.compression-codec' = 'gzip')")
    lake.open(tables.EDGES)
    properties = {row.key: row.value for row in spark.sql(f"SHOW TBLPROPERTIES {name}").collect()}
    assert properties["write.delete.mode"] == "merge-on-read"
    assert properties["write.parquet.compression-codec"] == "gzip"


def test_opening_asks_no_job_of_spark_and_a_small_commit_one(spark: SparkSession, lake: Lake) -> None:
    def jobs(act: Callable[[], object]) -> int:
        group = uuid.uuid4().hex
        spark.sparkContext.setJobGroup(group, "counted")
        act()
        return len(spark.sparkContext.statusTracker().getJobIdsForGroup(group))

    rows, since = edges(spark, 0.5), lake.snapshot(tables.EDGES)
    assert jobs(lambda: lake.open(tables.EDGES)) == 0
    assert jobs(lambda: lake.find(tables.EDGES, "k")) == 0
    assert jobs(lambda: lake.append(tables.EDGES, rows, Stamp("r", "k", {}), since)) == 1


def test_a_table_of_other_hands_is_refused_with_every_difference(spark: SparkSession, lake: Lake) -> None:
    spark.sql(f"CREATE TABLE {lake._namespace}.votes (scope string, src int) USING iceberg")
    with pytest.raises(ContractError, match=r"votes\.src is int.*votes\.dst is missing"):
        lake.open(tables.VOTES)


OLD = "scope string, src bigint, dst bigint, score float"


@pytest.fixture
def older(spark: SparkSession, lake: Lake) -> Snapshot:
    """A table of an older version, which has no column `votes` yet, with a row."""
    spark.sql(f"CREATE TABLE {lake._namespace}.votes ({OLD}) USING iceberg PARTITIONED BY (scope)")
    spark.sql(f"INSERT INTO {lake._namespace}.votes VALUES ('global', 1, 2, 0.5)")
    return lake.snapshot(tables.VOTES)


def _votes(frame: DataFrame | None) -> list[Row]:
    assert frame is not None
    return sorted(tables.conform(frame, tables.VOTES).select("dst", "votes").collect())


def test_a_table_of_an_older_version_gets_the_columns_that_it_lacks(
    spark: SparkSession, lake: Lake, older: Snapshot
) -> None:
    assert _votes(lake.read(tables.VOTES, older)) == [(2, None)]
    since = lake.open(tables.VOTES)
    assert (since.id, lake.open(tables.VOTES).id) == (older.id, older.id), (
        "what was written stays, also the second time"
    )
    rows = spark.createDataFrame([("global", 1, 3, 0.25, True)], tables.VOTES.columns)
    now = lake.append(tables.VOTES, rows, Stamp("r", "k", {}), since)
    assert _votes(lake.read(tables.VOTES, older)) == [(2, None)]
    assert _votes(lake.read(tables.VOTES, now)) == [(2, None), (3, True)]
    assert _votes(lake.added(tables.VOTES, older.id, now)) == [(3, True)]
    assert _votes(lake.added(tables.VOTES, older.id, older)) == []
    lake.make_current(tables.VOTES, older, now)
    assert _votes(lake.read(tables.VOTES, lake.open(tables.VOTES))) == [(2, None)]


def test_an_older_snapshot_keeps_the_columns_that_others_added(
    spark: SparkSession, lake: Lake, older: Snapshot
) -> None:
    spark.sql(f"ALTER TABLE {lake._namespace}.votes ADD COLUMNS (remark string)")
    spark.sql(f"INSERT INTO {lake._namespace}.votes VALUES ('global', 1, 9, 0.5, 'mine')")
    now = lake.snapshot(tables.VOTES)
    for added in (lake.added(tables.VOTES, older.id, now), lake.read(tables.VOTES, now).where("dst = 9")):
        assert added is not None
        assert [(row.dst, row.votes, row.remark) for row in added.collect()] == [(9, None, "mine")]


@pytest.mark.parametrize("columns", ["scope string, dst bigint", OLD.replace("float", "double")])
def test_a_table_without_the_key_or_of_other_types_gets_no_columns(
    spark: SparkSession, lake: Lake, columns: str
) -> None:
    spark.sql(f"CREATE TABLE {lake._namespace}.votes ({columns}) USING iceberg")
    before = spark.table(f"{lake._namespace}.votes").schema
    with pytest.raises(ContractError, match=r"votes\.(src is missing|score is double)"):
        lake.open(tables.VOTES)
    assert spark.table(f"{lake._namespace}.votes").schema == before


def test_a_root_that_cannot_be_written_is_a_fault(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    spark.conf.set("spark.sql.catalog.broken", "org.apache.iceberg.spark.SparkCatalog")
    spark.conf.set("spark.sql.catalog.broken.type", "hadoop")
    spark.conf.set("spark.sql.catalog.broken.warehouse", str(tmp_path / "file" / "lake"))
    with pytest.raises(ConfigError) as caught:
        Lake(spark, sections.Lake(catalog="broken")).open(tables.EDGES)
    assert caught.value.faults[0].key == "lake.catalog"


def test_a_commit_by_other_hands_is_known_by_its_id(spark: SparkSession, lake: Lake) -> None:
    since = lake.snapshot(tables.EDGES)
    lake.overwrite(tables.EDGES, edges(spark, 0.5, 0.6), Stamp("r", "k", {}), since)
    spark.sql(f"DELETE FROM {lake._namespace}.edges WHERE dst = 2")
    now = lake.snapshot(tables.EDGES)
    assert now.key == f"snapshot:{now.id}"


def test_branches_that_a_killed_run_left_go_when_they_are_old(lake: Lake, spark: SparkSession) -> None:
    name = f"{lake._namespace}.edges"
    for branch in ("facesieve-20200101T000000-aa", "facesieve-29990101T000000-bb", "mine"):
        spark.sql(f"ALTER TABLE {name} CREATE BRANCH `{branch}`")
    lake.open(tables.EDGES)
    assert refs(spark, lake) == {"main", "mine", "facesieve-29990101T000000-bb"}


def test_the_number_of_buckets_can_change(spark: SparkSession, lake: Lake) -> None:
    lake.open(tables.CLEANED, 4)
    lake.open(tables.CLEANED, 8)
    shown = (
        spark.sql(f"DESCRIBE TABLE {lake._namespace}.cleaned").where(F.col("data_type").startswith("bucket")).collect()
    )
    assert [row.data_type for row in shown] == ["bucket(8, identity)"]

"""The lake: commits by key, going back, refusal when a table moved, foreign tables."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from pyiceberg.table import StaticTable
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from facesieve.core import config, tables
from facesieve.core.errors import ConfigError, ContractError, Refused
from facesieve.lake.catalog import Lake, Stamp


@pytest.fixture
def lake(spark: SparkSession):
    made = Lake(spark, config.Lake(namespace=f"ns_{uuid.uuid4().hex[:8]}"))
    made.open(tables.EDGES)
    return made


def _edges(spark, *cosines):
    rows = [("global", 1, 2 + number, cosine, None) for number, cosine in enumerate(cosines)]
    return spark.createDataFrame(rows, tables.EDGES.columns)


def _cosines(lake, at):
    return sorted(row.cosine for row in lake.read(tables.EDGES, at).collect())


def test_a_new_table_stands_at_an_empty_snapshot(lake) -> None:
    first = lake.standing(tables.EDGES)
    assert (first.key, _cosines(lake, first)) == ("", [])
    assert lake.current(tables.VOTES) is None
    assert lake.find(tables.VOTES, "k") is None


def test_overwrite_append_find_and_go_back(spark: SparkSession, lake) -> None:
    empty = lake.standing(tables.EDGES)
    one = lake.overwrite(tables.EDGES, _edges(spark, 0.5), Stamp("r1", "a", {"listing": 7}), empty)
    two = lake.overwrite(tables.EDGES, _edges(spark, 0.25), Stamp("r2", "b", {}), one)
    three = lake.append(tables.EDGES, _edges(spark, 0.75), Stamp("r2", "c", {}), two)
    assert _cosines(lake, one) == [0.5]
    assert _cosines(lake, three) == [0.25, 0.75]
    assert lake.find(tables.EDGES, "a") == one
    assert (one.run, one.inputs) == ("r1", {"listing": 7})
    lake.make_current(tables.EDGES, one, three)
    assert lake.standing(tables.EDGES) == one
    assert lake.find(tables.EDGES, "c") == three


def test_a_table_that_moved_is_refused_and_left_alone(spark: SparkSession, lake) -> None:
    since = lake.standing(tables.EDGES)
    other = lake.overwrite(tables.EDGES, _edges(spark, 0.5), Stamp("other", "o", {}), since)
    for attempt in (
        lambda: lake.overwrite(tables.EDGES, _edges(spark, 0.1), Stamp("mine", "m", {}), since),
        lambda: lake.append(tables.EDGES, _edges(spark, 0.1), Stamp("mine", "m", {}), since),
        lambda: lake.make_current(tables.EDGES, since, since),
    ):
        with pytest.raises(Refused, match="edges"):
            attempt()
    assert lake.standing(tables.EDGES) == other


def test_a_table_that_moves_while_rows_are_written_is_refused(
    spark: SparkSession, lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fast-forwarding itself must refuse, whatever was checked before."""
    since = lake.standing(tables.EDGES)
    intruder = Lake(spark, lake._settings)
    monkeypatch.setattr(lake, "_refuse_if_moved", lambda *_: None)
    fast_forward = lake._fast_forward

    def late(table, branch):
        intruder.overwrite(table, _edges(spark, 0.9), Stamp("other", "o", {}), since)
        fast_forward(table, branch)

    monkeypatch.setattr(lake, "_fast_forward", late)
    with pytest.raises(Refused):
        lake.overwrite(tables.EDGES, _edges(spark, 0.1), Stamp("mine", "m", {}), since)
    assert lake.standing(tables.EDGES).run == "other"
    assert _refs(spark, lake) == {"main"}


def _refs(spark, lake):
    return {row.name for row in spark.table(f"{lake._namespace}.edges.refs").collect()}


def _keys(spark, lake):
    rows = spark.table(f"{lake._namespace}.edges.snapshots").orderBy("committed_at").collect()
    return [row.summary.get("facesieve.key") for row in rows]


def test_a_change_of_many_writes_moves_main_once(spark: SparkSession, lake) -> None:
    since = lake.overwrite(tables.EDGES, _edges(spark, 0.5, 0.25), Stamp("r", "old", {}), lake.standing(tables.EDGES))
    with lake.change(tables.EDGES, Stamp("r", "new", {"listing": 7}), since) as change:
        change.delete(_edges(spark, 0.5))
        before = change.read()
        assert [row.cosine for row in before.collect()] == [0.25]
        change.append(_edges(spark, 0.75))
        change.append(change.read().where("cosine = 0.25").withColumn("dst", F.lit(9).cast("bigint")))
        assert sorted(row.cosine for row in change.read().collect()) == [0.25, 0.25, 0.75]
        assert [row.cosine for row in before.collect()] == [0.25], "what was read stays"
        change.delete(change.read().where("dst = 9"))
        assert lake.standing(tables.EDGES) == since
    made = lake.standing(tables.EDGES)
    assert (made, lake.find(tables.EDGES, "new")) == (change.at, change.at)
    assert (made.run, made.key, made.inputs) == ("r", "new", {"listing": 7})
    assert _cosines(lake, made) == [0.25, 0.75]
    assert _cosines(lake, since) == [0.25, 0.5]
    assert _refs(spark, lake) == {"main"}
    assert _keys(spark, lake) == ["", "old", None, "new#1", "new#2", None, "new"]


def test_a_change_that_fails_leaves_nothing_that_is_found(spark: SparkSession, lake) -> None:
    since = lake.standing(tables.EDGES)

    def failing():
        with lake.change(tables.EDGES, Stamp("r", "k", {}), since) as change:
            change.overwrite(_edges(spark, 0.5))
            change.append(_edges(spark, 0.75))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        failing()
    assert lake.standing(tables.EDGES) == since
    assert lake.find(tables.EDGES, "k") is None
    assert _refs(spark, lake) == {"main"}


def test_a_change_without_a_write_still_makes_the_version_that_bears_the_key(lake) -> None:
    since = lake.standing(tables.EDGES)
    with lake.change(tables.EDGES, Stamp("r", "k", {}), since):
        pass
    assert lake.find(tables.EDGES, "k") == lake.standing(tables.EDGES) != since


def test_a_table_that_moves_during_a_change_is_refused(spark: SparkSession, lake) -> None:
    since = lake.standing(tables.EDGES)

    def overtaken():
        with lake.change(tables.EDGES, Stamp("mine", "m", {}), since) as change:
            change.overwrite(_edges(spark, 0.5))
            lake.overwrite(tables.EDGES, _edges(spark, 0.9), Stamp("other", "o", {}), since)

    with pytest.raises(Refused):
        overtaken()
    assert lake.standing(tables.EDGES).run == "other"
    whole = lake.find(tables.EDGES, "m")
    assert _cosines(lake, whole) == [0.5], "it is complete, and the same command may use it"
    assert _refs(spark, lake) == {"main"}


def test_a_delete_takes_exactly_the_rows_of_its_keys_and_rewrites_no_file(spark: SparkSession, lake) -> None:
    rows = [(scope, src, dst, 0.5, None) for scope in ("global", "identity") for src in range(20) for dst in range(20)]
    whole = spark.createDataFrame(rows, tables.EDGES.columns).repartition(2)
    since = lake.overwrite(tables.EDGES, whole, Stamp("r", "a", {}), lake.standing(tables.EDGES))
    keys = [("global", 3, dst) for dst in range(10)] * 2 + [("global", 99, 1), ("global", None, 2), ("identity", 3, 4)]
    with lake.change(tables.EDGES, Stamp("r", "b", {}), since) as change:
        change.delete(spark.createDataFrame(keys, "scope string, src bigint, dst bigint"))
    left = {(row.scope, row.src, row.dst) for row in lake.read(tables.EDGES, change.at).collect()}
    assert left == {row[:3] for row in rows} - set(keys)
    files = "SELECT content, sum(record_count) n FROM {}.edges.files GROUP BY content ORDER BY content"
    assert [tuple(row) for row in spark.sql(files.format(lake._namespace)).collect()] == [(0, 800), (1, 11)]
    replaced = lake.overwrite(tables.EDGES, _edges(spark, 0.5), Stamp("r", "c", {}), change.at)
    assert _cosines(lake, replaced) == [0.5]
    assert [tuple(row) for row in spark.sql(files.format(lake._namespace)).collect()] == [(0, 1)]


def test_other_readers_see_deleted_rows_as_gone(spark: SparkSession, lake) -> None:
    since = lake.standing(tables.EDGES)
    with lake.change(tables.EDGES, Stamp("r", "k", {}), since) as change:
        change.overwrite(_edges(spark, 0.5, 0.25, 0.75))
        change.delete(_edges(spark, 0.5))
    warehouse, namespace = spark.conf.get("spark.sql.catalog.lake.warehouse"), lake._namespace.removeprefix("lake.")
    folder = Path(warehouse, namespace, "edges", "metadata")
    newest = folder / f"v{(folder / 'version-hint.text').read_text().strip()}.metadata.json"
    read = StaticTable.from_metadata(str(newest)).scan(snapshot_id=change.at.id).to_arrow()
    assert sorted(read.column("cosine").to_pylist()) == [0.25, 0.75]


def test_a_table_made_before_row_deletes_learns_them_and_keeps_what_it_was_told(spark: SparkSession, lake) -> None:
    name = f"{lake._namespace}.edges"
    spark.sql(f"ALTER TABLE {name} UNSET TBLPROPERTIES ('write.delete.mode')")
    spark.sql(f"ALTER TABLE {name} SET TBLPROPERTIES ('write.parquet.compression-codec' = 'gzip')")
    lake.open(tables.EDGES)
    properties = {row.key: row.value for row in spark.sql(f"SHOW TBLPROPERTIES {name}").collect()}
    assert properties["write.delete.mode"] == "merge-on-read"
    assert properties["write.parquet.compression-codec"] == "gzip"


def test_opening_asks_no_job_of_spark_and_a_small_commit_one(spark: SparkSession, lake) -> None:
    def jobs(act):
        group = uuid.uuid4().hex
        spark.sparkContext.setJobGroup(group, "counted")
        act()
        return len(spark.sparkContext.statusTracker().getJobIdsForGroup(group))

    rows, since = _edges(spark, 0.5), lake.standing(tables.EDGES)
    assert jobs(lambda: lake.open(tables.EDGES)) == 0
    assert jobs(lambda: lake.find(tables.EDGES, "k")) == 0
    assert jobs(lambda: lake.append(tables.EDGES, rows, Stamp("r", "k", {}), since)) == 1


def test_a_table_of_other_hands_is_refused_with_every_difference(spark: SparkSession, lake) -> None:
    spark.sql(f"CREATE TABLE {lake._namespace}.votes (scope string, src int) USING iceberg")
    with pytest.raises(ContractError, match=r"votes\.src is int.*votes\.dst is missing"):
        lake.open(tables.VOTES)


OLD = "scope string, src bigint, dst bigint, score float"


@pytest.fixture
def older(spark: SparkSession, lake):
    """A table of an older version, which has no column `votes` yet, with a row."""
    spark.sql(f"CREATE TABLE {lake._namespace}.votes ({OLD}) USING iceberg PARTITIONED BY (scope)")
    spark.sql(f"INSERT INTO {lake._namespace}.votes VALUES ('global', 1, 2, 0.5)")
    return lake.standing(tables.VOTES)


def _votes(frame):
    return sorted(tables.conform(frame, tables.VOTES).select("dst", "votes").collect())


def test_a_table_of_an_older_version_gets_the_columns_that_it_lacks(spark: SparkSession, lake, older) -> None:
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


def test_an_older_snapshot_keeps_the_columns_that_others_added(spark: SparkSession, lake, older) -> None:
    spark.sql(f"ALTER TABLE {lake._namespace}.votes ADD COLUMNS (remark string)")
    spark.sql(f"INSERT INTO {lake._namespace}.votes VALUES ('global', 1, 9, 0.5, 'mine')")
    now = lake.standing(tables.VOTES)
    for added in (lake.added(tables.VOTES, older.id, now), lake.read(tables.VOTES, now).where("dst = 9")):
        assert [(row.dst, row.votes, row.remark) for row in added.collect()] == [(9, None, "mine")]


@pytest.mark.parametrize("columns", ["scope string, dst bigint", OLD.replace("float", "double")])
def test_a_table_without_the_key_or_of_other_types_gets_no_columns(spark: SparkSession, lake, columns) -> None:
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
        Lake(spark, config.Lake(catalog="broken")).open(tables.EDGES)
    assert caught.value.faults[0].key == "lake.catalog"


def test_a_commit_by_other_hands_is_known_by_its_id(spark: SparkSession, lake) -> None:
    since = lake.standing(tables.EDGES)
    lake.overwrite(tables.EDGES, _edges(spark, 0.5, 0.6), Stamp("r", "k", {}), since)
    spark.sql(f"DELETE FROM {lake._namespace}.edges WHERE dst = 2")
    now = lake.standing(tables.EDGES)
    assert now.key == f"snapshot:{now.id}"


def test_branches_that_a_killed_run_left_go_when_they_are_old(lake, spark: SparkSession) -> None:
    name = f"{lake._namespace}.edges"
    for branch in ("facesieve-20200101T000000-aa", "facesieve-29990101T000000-bb", "mine"):
        spark.sql(f"ALTER TABLE {name} CREATE BRANCH `{branch}`")
    lake.open(tables.EDGES)
    assert _refs(spark, lake) == {"main", "mine", "facesieve-29990101T000000-bb"}


def test_the_number_of_buckets_can_change(spark: SparkSession, lake) -> None:
    lake.open(tables.CLEANED, 4)
    lake.open(tables.CLEANED, 8)
    shown = (
        spark.sql(f"DESCRIBE TABLE {lake._namespace}.cleaned").where(F.col("data_type").startswith("bucket")).collect()
    )
    assert [row.data_type for row in shown] == ["bucket(8, identity)"]

"""Several writes that become one version, and what a version says of itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyiceberg.table import StaticTable
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from small_lake import cosines, edges, refs

from facesieve.core import tables
from facesieve.core.errors import Refused
from facesieve.lake.catalog import Lake, Stamp
from facesieve.lake.iceberg import Commit
from facesieve.lake.versions import snapshot_of


def test_the_properties_of_a_commit_are_those_that_are_read() -> None:
    summary = Stamp("r1", "k", {"listing": 7}).summary()
    assert summary == {"facesieve.run": "r1", "facesieve.key": "k", "facesieve.inputs": '{"listing": 7}'}
    snapshot = snapshot_of(tables.EDGES, Commit(3, summary | {"total-records": "12"}, 2, origin=3, stamp=summary))
    assert (snapshot.table, snapshot.id, snapshot.parent, snapshot.rows) == ("edges", 3, 2, 12)
    assert not snapshot.exact, "nothing says that no row was deleted beside its file"
    assert (snapshot.run, snapshot.key, snapshot.inputs) == ("r1", "k", {"listing": 7})


def test_a_commit_by_other_hands_is_named_by_its_id() -> None:
    snapshot = snapshot_of(tables.EDGES, Commit(3, {"operation": "delete"}, origin=3))
    assert (snapshot.run, snapshot.key, snapshot.inputs, snapshot.rows) == ("", "snapshot:3", {}, 0)


def _keys(spark: SparkSession, lake: Lake) -> list[str | None]:
    rows = spark.table(f"{lake._namespace}.edges.snapshots").orderBy("committed_at").collect()
    return [row.summary.get("facesieve.key") for row in rows]


def test_a_change_of_many_writes_moves_main_once(spark: SparkSession, lake: Lake) -> None:
    since = lake.overwrite(tables.EDGES, edges(spark, 0.5, 0.25), Stamp("r", "old", {}), lake.snapshot(tables.EDGES))
    with lake.change(tables.EDGES, Stamp("r", "new", {"listing": 7}), since) as change:
        change.delete(edges(spark, 0.5))
        before = change.read()
        assert [row.cosine for row in before.collect()] == [0.25]
        change.append(edges(spark, 0.75))
        change.append(change.read().where("cosine = 0.25").withColumn("dst", F.lit(9).cast("bigint")))
        assert sorted(row.cosine for row in change.read().collect()) == [0.25, 0.25, 0.75]
        assert [row.cosine for row in before.collect()] == [0.25], "what was read stays"
        change.delete(change.read().where("dst = 9"))
        assert lake.snapshot(tables.EDGES) == since
    version = lake.snapshot(tables.EDGES)
    assert (version, lake.find(tables.EDGES, "new")) == (change.at, change.at)
    assert (version.run, version.key, version.inputs) == ("r", "new", {"listing": 7})
    assert cosines(lake, version) == [0.25, 0.75]
    assert cosines(lake, since) == [0.25, 0.5]
    assert (since.rows, since.exact, version.exact) == (2, True, False), "rows were deleted beside their files"
    assert refs(spark, lake) == {"main"}
    assert _keys(spark, lake) == ["", "old", None, "new#1", "new#2", None, "new"]


def test_a_change_that_fails_leaves_nothing_that_is_found(spark: SparkSession, lake: Lake) -> None:
    since = lake.snapshot(tables.EDGES)

    def failing() -> None:
        with lake.change(tables.EDGES, Stamp("r", "k", {}), since) as change:
            change.overwrite(edges(spark, 0.5))
            change.append(edges(spark, 0.75))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        failing()
    assert lake.snapshot(tables.EDGES) == since
    assert lake.find(tables.EDGES, "k") is None
    assert refs(spark, lake) == {"main"}


def test_a_change_without_a_write_still_makes_the_version_that_bears_the_key(lake: Lake) -> None:
    since = lake.snapshot(tables.EDGES)
    with lake.change(tables.EDGES, Stamp("r", "k", {}), since):
        pass
    assert lake.find(tables.EDGES, "k") == lake.snapshot(tables.EDGES) != since


def test_a_table_that_moves_during_a_change_is_refused(spark: SparkSession, lake: Lake) -> None:
    since = lake.snapshot(tables.EDGES)

    def overtaken() -> None:
        with lake.change(tables.EDGES, Stamp("mine", "m", {}), since) as change:
            change.overwrite(edges(spark, 0.5))
            lake.overwrite(tables.EDGES, edges(spark, 0.9), Stamp("other", "o", {}), since)

    with pytest.raises(Refused):
        overtaken()
    assert lake.snapshot(tables.EDGES).run == "other"
    whole = lake.find(tables.EDGES, "m")
    assert cosines(lake, whole) == [0.5], "it is complete, and the same command may use it"
    assert refs(spark, lake) == {"main"}


def test_a_delete_takes_exactly_the_rows_of_its_keys_and_rewrites_no_file(spark: SparkSession, lake: Lake) -> None:
    rows = [(scope, src, dst, 0.5, None) for scope in ("global", "identity") for src in range(20) for dst in range(20)]
    whole = spark.createDataFrame(rows, tables.EDGES.columns).repartition(2)
    since = lake.overwrite(tables.EDGES, whole, Stamp("r", "a", {}), lake.snapshot(tables.EDGES))
    keys = [("global", 3, dst) for dst in range(10)] * 2 + [("global", 99, 1), ("global", None, 2), ("identity", 3, 4)]
    with lake.change(tables.EDGES, Stamp("r", "b", {}), since) as change:
        change.delete(spark.createDataFrame(keys, "scope string, src bigint, dst bigint"))
    left = {(row.scope, row.src, row.dst) for row in lake.read(tables.EDGES, change.at).collect()}
    assert left == {row[:3] for row in rows} - set(keys)
    files = "SELECT content, sum(record_count) n FROM {}.edges.files GROUP BY content ORDER BY content"
    assert [tuple(row) for row in spark.sql(files.format(lake._namespace)).collect()] == [(0, 800), (1, 11)]
    replaced = lake.overwrite(tables.EDGES, edges(spark, 0.5), Stamp("r", "c", {}), change.at)
    assert cosines(lake, replaced) == [0.5]
    assert [tuple(row) for row in spark.sql(files.format(lake._namespace)).collect()] == [(0, 1)]


def test_other_readers_see_deleted_rows_as_gone(spark: SparkSession, lake: Lake) -> None:
    since = lake.snapshot(tables.EDGES)
    with lake.change(tables.EDGES, Stamp("r", "k", {}), since) as change:
        change.overwrite(edges(spark, 0.5, 0.25, 0.75))
        change.delete(edges(spark, 0.5))
    warehouse, namespace = (
        spark.conf.get("spark.sql.catalog.lake.warehouse") or "",
        lake._namespace.removeprefix("lake."),
    )
    folder = Path(warehouse, namespace, "edges", "metadata")
    newest = folder / f"v{(folder / 'version-hint.text').read_text().strip()}.metadata.json"
    read = StaticTable.from_metadata(str(newest)).scan(snapshot_id=change.at.id).to_arrow()
    assert sorted(read.column("cosine").to_pylist()) == [0.25, 0.75]

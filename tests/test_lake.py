"""The lake: commits by key, going back, refusal when a table moved, foreign tables."""

from __future__ import annotations

import uuid

import pytest
from pyspark.sql import functions as F

from facesieve import config, tables
from facesieve.errors import ConfigError, ContractError, Refused
from facesieve.lake import Lake, Stamp


@pytest.fixture
def lake(spark):
    made = Lake(spark, config.Lake(namespace=f"ns_{uuid.uuid4().hex[:8]}"))
    made.open(tables.EDGES)
    return made


def _edges(spark, *cosines):
    rows = [("heap", 1, 2 + number, cosine, None) for number, cosine in enumerate(cosines)]
    return spark.createDataFrame(rows, tables.EDGES.columns)


def _cosines(lake, at):
    return sorted(row.cosine for row in lake.read(tables.EDGES, at).collect())


def test_a_new_table_stands_at_an_empty_snapshot(lake):
    first = lake.standing(tables.EDGES)
    assert (first.key, _cosines(lake, first)) == ("", [])
    assert lake.current(tables.VOTES) is None
    assert lake.find(tables.VOTES, "k") is None


def test_overwrite_append_find_and_go_back(spark, lake):
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


def test_a_table_that_moved_is_refused_and_left_alone(spark, lake):
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


def test_a_table_that_moves_while_rows_are_written_is_refused(spark, lake, monkeypatch):
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
    refs = spark.table(f"{lake._namespace}.edges.refs").select("name").collect()
    assert [row.name for row in refs] == ["main"]


def test_a_table_of_other_hands_is_refused_with_every_difference(spark, lake):
    spark.sql(f"CREATE TABLE {lake._namespace}.votes (scope string, src int) USING iceberg")
    with pytest.raises(ContractError, match=r"votes\.src is int.*votes\.dst is missing"):
        lake.open(tables.VOTES)


def test_a_root_that_cannot_be_written_is_a_fault(spark, tmp_path):
    (tmp_path / "file").write_text("")
    spark.conf.set("spark.sql.catalog.broken", "org.apache.iceberg.spark.SparkCatalog")
    spark.conf.set("spark.sql.catalog.broken.type", "hadoop")
    spark.conf.set("spark.sql.catalog.broken.warehouse", str(tmp_path / "file" / "lake"))
    with pytest.raises(ConfigError) as caught:
        Lake(spark, config.Lake(catalog="broken")).open(tables.EDGES)
    assert caught.value.faults[0].key == "lake.catalog"


def test_a_commit_by_other_hands_is_known_by_its_id(spark, lake):
    since = lake.standing(tables.EDGES)
    lake.overwrite(tables.EDGES, _edges(spark, 0.5, 0.6), Stamp("r", "k", {}), since)
    spark.sql(f"DELETE FROM {lake._namespace}.edges WHERE dst = 2")
    now = lake.standing(tables.EDGES)
    assert now.key == f"snapshot:{now.id}"


def test_branches_that_a_killed_run_left_go_when_they_are_old(lake, spark):
    name = f"{lake._namespace}.edges"
    for branch in ("facesieve-20200101T000000-aa", "facesieve-29990101T000000-bb", "mine"):
        spark.sql(f"ALTER TABLE {name} CREATE BRANCH `{branch}`")
    lake.open(tables.EDGES)
    left = {row.name for row in spark.table(f"{name}.refs").collect()}
    assert left == {"main", "mine", "facesieve-29990101T000000-bb"}


def test_the_number_of_buckets_can_change(spark, lake):
    lake.open(tables.CLEANED, 4)
    lake.open(tables.CLEANED, 8)
    shown = (
        spark.sql(f"DESCRIBE TABLE {lake._namespace}.cleaned").where(F.col("data_type").startswith("bucket")).collect()
    )
    assert [row.data_type for row in shown] == ["bucket(8, identity)"]

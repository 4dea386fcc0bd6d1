"""Upkeep of a table: rewritten files stay the same version, and only what is named goes."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession
from small_lake import cosines, edges

from facesieve.core import tables
from facesieve.core.errors import Refused
from facesieve.lake import iceberg
from facesieve.lake.catalog import BRANCH, Lake, Snapshot, Stamp
from facesieve.lake.upkeep import Small, Upkeep

NIGHTS = 12


@pytest.fixture
def grown(spark: SparkSession, lake: Lake) -> list[Snapshot]:
    """Versions of a table that every night adds a row to, and the last one takes one from."""
    versions = [lake.snapshot(tables.EDGES)]
    for night in range(NIGHTS):
        stamp = Stamp(f"r{night}", f"k{night}", {"epochs": night})
        rows = spark.createDataFrame([("global", 1, 2 + night, night / 16, None)], tables.EDGES.columns)
        versions.append(lake.append(tables.EDGES, rows, stamp, versions[-1]))
    return versions


@pytest.fixture
def upkeep(spark: SparkSession, lake: Lake) -> Upkeep:
    return Upkeep(spark, lake.name_of(tables.EDGES))


def test_a_rewritten_table_is_the_version_that_it_was(lake: Lake, grown: list[Snapshot], upkeep: Upkeep) -> None:
    last, small = grown[-1], upkeep.small()
    assert (small.files, small.deletes, small.manifests) == (NIGHTS, 0, NIGHTS)
    upkeep.compact()
    now = lake.snapshot(tables.EDGES)
    assert now.id != last.id
    assert (now.version, now.key, now.run, now.inputs) == (last.id, last.key, last.run, last.inputs)
    assert lake.find(tables.EDGES, last.key) == now, "the next run reads few files"
    assert cosines(lake, now) == cosines(lake, last)
    assert upkeep.small() == Small(), "nothing is left to do"
    upkeep.compact()
    assert lake.snapshot(tables.EDGES) == now


def test_it_still_is_when_the_version_itself_is_expired(lake: Lake, grown: list[Snapshot], upkeep: Upkeep) -> None:
    upkeep.compact()
    now, rows = lake.snapshot(tables.EDGES), cosines(lake, lake.snapshot(tables.EDGES))
    upkeep.expire([version.id for version in lake.versions(tables.EDGES) if version.id != now.id])
    assert lake.versions(tables.EDGES) == [now]
    after = lake.snapshot(tables.EDGES)
    assert (after.version, after.key, after.inputs, cosines(lake, after)) == (now.version, now.key, now.inputs, rows)


def test_a_commit_goes_on_over_a_rewrite(
    spark: SparkSession, lake: Lake, grown: list[Snapshot], upkeep: Upkeep
) -> None:
    last = grown[-1]
    upkeep.compact()
    after = lake.append(tables.EDGES, edges(spark, 0.9375), Stamp("mine", "m", {}), last)
    assert cosines(lake, after) == [*cosines(lake, last), 0.9375]
    with pytest.raises(Refused):
        lake.append(tables.EDGES, edges(spark, 0.5), Stamp("other", "o", {}), last)


def test_what_was_added_since_is_read_over_a_rewrite(
    spark: SparkSession, lake: Lake, grown: list[Snapshot], upkeep: Upkeep
) -> None:
    def added(since: Snapshot) -> list[float] | None:
        rows = lake.added(tables.EDGES, since.version, lake.snapshot(tables.EDGES))
        return None if rows is None else sorted(row.cosine for row in rows.collect())

    last = grown[-1]
    upkeep.compact()
    assert (added(last), added(grown[-3])) == ([], [10 / 16, 11 / 16])
    compacted = lake.snapshot(tables.EDGES)
    lake.append(tables.EDGES, edges(spark, 0.9375), Stamp("mine", "m", {}), last)
    upkeep.expire([version.id for version in grown])
    assert added(compacted) == added(last) == [0.9375], "the version is gone, its rewrite is not"
    assert added(grown[-3]) is None


def test_deleted_rows_stay_deleted(spark: SparkSession, lake: Lake, grown: list[Snapshot], upkeep: Upkeep) -> None:
    with lake.change(tables.EDGES, Stamp("r", "k", {}), grown[-1]) as change:
        change.delete(
            spark.createDataFrame(
                [("global", 1, 2 + each) for each in range(6)], "scope string, src bigint, dst bigint"
            )
        )
    rows = cosines(lake, change.at)
    assert rows == [each / 16 for each in range(6, NIGHTS)]
    assert upkeep.small().deletes == 6
    upkeep.compact()
    now = lake.snapshot(tables.EDGES)
    assert (cosines(lake, now), now.key, now.version) == (rows, "k", change.at.id)
    assert spark.table(f"{upkeep.name}.delete_files").count() == 0
    assert not any(upkeep.small())


def test_a_deleted_row_leaves_its_file_though_the_file_is_the_only_one(
    spark: SparkSession, lake: Lake, upkeep: Upkeep
) -> None:
    """Else it would stay in the current version for ever: one file is no reason to rewrite files."""
    whole = lake.overwrite(
        tables.EDGES, edges(spark, 0.25, 0.5, 0.75).coalesce(1), Stamp("r", "k", {}), lake.snapshot(tables.EDGES)
    )
    assert upkeep.small() == Small()
    with lake.change(tables.EDGES, Stamp("r", "l", {}), whole) as change:
        change.delete(spark.createDataFrame([("global", 1, 3)], "scope string, src bigint, dst bigint"))
    assert _stored(spark, upkeep) == [0.25, 0.5, 0.75]
    assert (upkeep.small().files, upkeep.small().deletes) == (1, 0)
    upkeep.compact()
    now = lake.snapshot(tables.EDGES)
    assert _stored(spark, upkeep) == [0.25, 0.75] == cosines(lake, now)
    assert (now.key, now.version, upkeep.small()) == ("l", change.at.id, Small())


def _stored(spark: SparkSession, upkeep: Upkeep) -> list[float]:
    """The cosines in the data files of the current version, whatever is said to be deleted of them."""
    files = [row.file_path for row in spark.table(f"{upkeep.name}.data_files").collect()]
    return sorted(cosine for file in files for cosine in pq.read_table(file)["cosine"].to_pylist())


def test_a_rewrite_by_other_hands_is_the_same_version_too(
    spark: SparkSession, lake: Lake, grown: list[Snapshot]
) -> None:
    name = lake.name_of(tables.EDGES)
    spark.sql(f"CALL lake.system.rewrite_data_files(table => '{name.removeprefix('lake.')}')").collect()
    now = lake.snapshot(tables.EDGES)
    assert now.id != grown[-1].id
    assert (now.version, now.key) == (grown[-1].id, grown[-1].key)


def test_a_rewrite_upon_another_version_does_not_pass_for_the_one_it_read(
    spark: SparkSession, lake: Lake, grown: list[Snapshot], upkeep: Upkeep, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run commits between the read and the commit of a compaction: the result has the run's rows, and its key."""
    copied = iceberg.Commit.copied

    def late(commit: iceberg.Commit) -> dict[str, str]:
        monkeypatch.setattr(iceberg.Commit, "copied", copied)
        lake.append(tables.EDGES, edges(spark, 0.9375), Stamp("other", "o", {}), grown[-1])
        return copied(commit)

    monkeypatch.setattr(iceberg.Commit, "copied", late)
    upkeep.compact()
    now = lake.snapshot(tables.EDGES)
    assert (now.key, now.run) == ("o", "other")
    assert 0.9375 in cosines(lake, now)


def test_only_named_snapshots_go(spark: SparkSession, lake: Lake, grown: list[Snapshot], upkeep: Upkeep) -> None:
    """Also from a table whose own limit would let go of all."""
    spark.sql(f"ALTER TABLE {upkeep.name} SET TBLPROPERTIES ('history.expire.max-snapshot-age-ms' = '1')")
    time.sleep(0.01)
    upkeep.expire([grown[1].id])
    assert lake.versions(tables.EDGES) == [grown[0], *grown[2:]]


def test_files_of_expired_versions_are_counted_and_go(
    spark: SparkSession, lake: Lake, grown: list[Snapshot], upkeep: Upkeep
) -> None:
    lake.overwrite(tables.EDGES, edges(spark, 0.5), Stamp("r", "k", {}), grown[-1])
    before = upkeep.size()
    going = [version.id for version in grown]
    files, total = upkeep.only_in(going)
    assert (files, upkeep.only_in(going[:-1])) == (NIGHTS, (0, 0))
    upkeep.expire(going)
    after = upkeep.size()
    assert after.files <= before.files - files
    assert after.bytes < before.bytes - total
    assert after.snapshots == 1


def test_orphans_are_files_of_an_age_to_which_nothing_refers(
    spark: SparkSession, lake: Lake, grown: list[Snapshot], upkeep: Upkeep
) -> None:
    warehouse = Path(str(spark.conf.get("spark.sql.catalog.lake.warehouse")))
    folder = warehouse.joinpath(*upkeep.name.split(".")[1:], "data")
    orphan = folder / "left.parquet"
    orphan.write_bytes(b"x")
    limit = datetime.now(UTC) - timedelta(hours=25)
    assert upkeep.orphans(limit, delete=True) == 0, "it is too young"
    old = (datetime.now(UTC) - timedelta(hours=26)).timestamp()
    for file in (orphan, *folder.rglob("*.parquet")):
        os.utime(file, (old, old))
    assert upkeep.orphans(limit, delete=False) == 1
    assert orphan.exists()
    assert upkeep.orphans(limit, delete=True) == 1
    assert not orphan.exists()
    assert len(cosines(lake, grown[-1])) == NIGHTS


def test_a_run_that_writes_is_seen(lake: Lake, grown: list[Snapshot], upkeep: Upkeep) -> None:
    assert not upkeep.busy(BRANCH)
    with lake.change(tables.EDGES, Stamp("r", "k", {}), grown[-1]):
        assert upkeep.busy(BRANCH)
    assert not upkeep.busy(BRANCH)

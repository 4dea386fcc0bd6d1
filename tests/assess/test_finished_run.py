"""Which run a side job reads, and each table as that run left it."""

from __future__ import annotations

import pytest
from finished import Finished
from pyspark.sql import SparkSession

from facesieve.assess.finished_run import finished_run
from facesieve.core import tables
from facesieve.core.errors import ConfigError
from facesieve.lake.upkeep import Upkeep


def _listing(uri: str) -> list[dict[str, object]]:
    return [{"image_id": 1, "uri": uri}]


@pytest.fixture(scope="module")
def lake(spark: SparkSession) -> Finished:
    """Two finished runs and one that failed, each with a listing of its own."""
    finished_lake = Finished(spark)
    for run, status in (("a", "done"), ("b", "done"), ("c", "failed")):
        finished_lake.run(run, {"listing": finished_lake.put(tables.LISTING, _listing(run))}, status)
    return finished_lake


@pytest.mark.parametrize(("name", "run"), [("", "b"), ("a", "a"), ("b", "b")])
def test_the_newest_finished_run_or_the_one_of_that_name(lake: Finished, name: str, run: str) -> None:
    source = finished_run(lake.lake, name)
    assert source.run == run
    assert [row["uri"] for row in source.table(tables.LISTING).collect()] == [run]


def test_what_is_not_there(lake: Finished, spark: SparkSession) -> None:
    with pytest.raises(ConfigError, match="--run: no finished run of this lake is named c"):
        finished_run(lake.lake, "c")
    with pytest.raises(ConfigError, match="table clusters: the run b left none"):
        finished_run(lake.lake, "").table(tables.CLUSTERS)
    with pytest.raises(ConfigError, match=r"lake\.root: no run has finished in this lake"):
        finished_run(Finished(spark).lake, "")


def test_a_run_whose_version_was_expired_is_named(spark: SparkSession) -> None:
    finished_lake = Finished(spark)
    for run in ("a", "b"):
        finished_lake.run(run, {"listing": finished_lake.put(tables.LISTING, _listing(run))})
    old, now = finished_lake.lake.versions(tables.LISTING)[-2:]
    Upkeep(spark, finished_lake.lake.name_of(tables.LISTING)).expire([old.id])
    with pytest.raises(ConfigError, match="table listing: the version of the run a has been expired"):
        finished_run(finished_lake.lake, "a").table(tables.LISTING)
    assert finished_run(finished_lake.lake, "b").table(tables.LISTING).count() == 1
    assert now.version == now.id

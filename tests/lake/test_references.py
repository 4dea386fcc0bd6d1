"""Branches and tags change in one commit, or not at all."""

from __future__ import annotations

from typing import Any

import pytest
from pyspark.sql import SparkSession
from small_lake import edges

from facesieve.core import tables
from facesieve.lake import iceberg, references
from facesieve.lake.catalog import Lake, Snapshot, Stamp
from facesieve.lake.iceberg import IcebergTable
from facesieve.lake.references import Movement, commit, is_tag


@pytest.fixture
def versions(spark: SparkSession, lake: Lake) -> list[Snapshot]:
    """Three versions of a table, of which the first is current."""
    history = [lake.snapshot(tables.EDGES)]
    for number in range(2):
        history.append(
            lake.overwrite(tables.EDGES, edges(spark, 0.5), Stamp(f"r{number}", f"k{number}", {}), history[-1])
        )
    lake.make_current(tables.EDGES, history[0], history[-1])
    return history


def _here(spark: SparkSession, lake: Lake) -> IcebergTable:
    return iceberg.existing(spark, lake.name_of(tables.EDGES))


def test_all_of_a_movement_is_one_commit(spark: SparkSession, lake: Lake, versions: list[Snapshot]) -> None:
    first, second, third = (version.id for version in versions)
    here = _here(spark, lake)
    spark.sql(f"ALTER TABLE {lake.name_of(tables.EDGES)} CREATE TAG mine AS OF VERSION {first}")
    assert commit(here, Movement({"aside": second}, {"t": second, "u": first}, properties={"note": "x"}))
    before = here.java.operations().current().metadataFileLocation()
    movement = Movement({"main": third, "aside": third}, {"t": third, "v": second}, ["u", "nothing"], {"note": "y"})
    assert commit(here, movement, since=first)
    assert _here(spark, lake).heads() == {"main": third, "aside": third, "t": third, "v": second, "mine": first}
    assert (is_tag(here, "t"), is_tag(here, "aside"), is_tag(here, "nothing")) == (True, False, False)
    log = [entry.file() for entry in _here(spark, lake).java.operations().current().previousFiles()]
    assert log[-1] == before, "nothing was committed between"
    assert here.java.properties().get("note") == "y"
    assert lake.snapshot(tables.EDGES) == versions[2]


def test_a_table_that_stands_elsewhere_is_left_alone(spark: SparkSession, lake: Lake, versions: list[Snapshot]) -> None:
    first, second, third = (version.id for version in versions)
    assert not commit(_here(spark, lake), Movement({"main": third}, {"t": third}), since=second)
    assert _here(spark, lake).heads() == {"main": first}


def test_who_is_overtaken_between_look_and_commit_changes_nothing(
    spark: SparkSession, lake: Lake, versions: list[Snapshot], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = (version.id for version in versions)
    move = references._move

    def late(*arguments: Any) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(references, "_move", move)
            assert commit(_here(spark, lake), Movement({"main": second}), since=first)
        move(*arguments)

    monkeypatch.setattr(references, "_move", late)
    assert not commit(_here(spark, lake), Movement({"main": third}, {"t": third}), since=first)
    assert _here(spark, lake).heads() == {"main": second}

"""Versions become current with a tag of their run; what does not is left at a branch."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession
from small_lake import edges, refs

from facesieve.core import tables
from facesieve.core.errors import Refused
from facesieve.lake import iceberg
from facesieve.lake.catalog import Lake, Snapshot, Stamp
from facesieve.lake.publication import Publication

NAME = "20261124T081500-3fa9"


@pytest.fixture
def publication(spark: SparkSession, lake: Lake) -> Publication:
    return Publication(spark, lake, tables.EDGES)


def written(publication: Publication, spark: SparkSession, cosine: float) -> tuple[Snapshot, str]:
    """Write a version on a branch; return both."""
    lake = publication.lake
    with lake.draft(tables.EDGES, Stamp("r", f"k{cosine}", {}), lake.snapshot(tables.EDGES)) as draft:
        draft.overwrite(edges(spark, cosine))
        return draft.seal(), draft.branch


def published(publication: Publication, spark: SparkSession, run: str, cosine: float, keep: int = 2) -> Snapshot:
    since = publication.lake.snapshot(tables.EDGES)
    version, branch = written(publication, spark, cosine)
    assert publication.publish(version, since, (run, keep), branch) == (f"run-{run}" if keep else None)
    return version


def _read(publication: Publication, reference: str) -> list[float]:
    name = publication.lake.name_of(tables.EDGES)
    return [row.cosine for row in publication.spark.sql(f"SELECT * FROM {name} VERSION AS OF '{reference}'").collect()]


def test_each_publication_is_read_by_the_tag_of_its_run(publication: Publication, spark: SparkSession) -> None:
    lake = publication.lake
    names = [NAME, "a.b-c_d", "0" * 100, "Nightly"]
    for number, run in enumerate(names):
        published(publication, spark, run, number / 8, keep=3)
    assert [_read(publication, f"run-{run}") for run in names[1:]] == [[0.125], [0.25], [0.375]]
    assert refs(spark, lake) == {"main", *(f"run-{run}" for run in names[1:])}, "the oldest tag went, and all branches"
    assert lake.find(tables.EDGES, "k0.0") is not None, "its version stays"


def test_tags_of_others_are_never_touched(publication: Publication, spark: SparkSession) -> None:
    name = publication.lake.name_of(tables.EDGES)
    first = published(publication, spark, "a", 0.5)
    for tag in ("run-of-june", "run-b", "staged"):
        spark.sql(f"ALTER TABLE {name} CREATE TAG `{tag}`")
    spark.sql(f"ALTER TABLE {name} REPLACE TAG `run-a` AS OF VERSION {first.parent}")
    since = publication.lake.snapshot(tables.EDGES)
    version, branch = written(publication, spark, 0.25)
    assert publication.publish(version, since, ("b", 1), branch) is None, "somebody else has set the tag of that name"
    assert published(publication, spark, "c", 0.75, keep=1) == publication.lake.snapshot(tables.EDGES)
    assert not publication.withdraw("b")
    assert publication.leave(version) == str(version.id)
    assert refs(spark, publication.lake) == {"main", "run-a", "run-of-june", "run-b", "run-c", "staged"}
    assert _read(publication, "run-b") == [0.5]


def test_what_is_left_is_replaced_and_goes_with_the_next_publication(
    publication: Publication, spark: SparkSession
) -> None:
    for cosine in (0.5, 0.25):
        version, branch = written(publication, spark, cosine)
        assert publication.leave(version) == "staged"
        assert _read(publication, "staged") == [cosine]
    assert publication.lake.snapshot(tables.EDGES).key == ""
    since = publication.lake.snapshot(tables.EDGES)
    assert publication.publish(version, since, ("a", 1), branch) == "run-a"
    assert "staged" not in refs(spark, publication.lake)


def test_a_run_that_changes_nothing_commits_nothing(publication: Publication, spark: SparkSession) -> None:
    version = published(publication, spark, "a", 0.5)

    def commits() -> int:
        here = iceberg.existing(spark, publication.lake.name_of(tables.EDGES))
        return len(list(here.java.operations().current().previousFiles()))

    before = commits()
    assert publication.publish(version, version, ("b", 2)) == "run-a"
    assert commits() == before
    assert publication.publish(version, version, ("b", 0)) is None, "no tags are wanted any more"
    assert publication.publish(version, version, ("c", 2)) == "run-c", "a version of a lake without tags gets one"
    assert refs(spark, publication.lake) == {"main", "run-c"}


def test_a_table_that_has_moved_is_refused_and_keeps_its_tags(publication: Publication, spark: SparkSession) -> None:
    since = publication.lake.snapshot(tables.EDGES)
    version, branch = written(publication, spark, 0.25)
    other = published(publication, spark, "other", 0.5)
    with pytest.raises(Refused, match="moved by another run"):
        publication.publish(version, since, ("mine", 2), branch)
    assert publication.lake.snapshot(tables.EDGES) == other
    assert "run-mine" not in refs(spark, publication.lake)
    with pytest.raises(Refused, match="moved by another run"):
        publication.publish(since, since, ("mine", 2))


def test_an_undone_run_loses_its_tag(publication: Publication, spark: SparkSession) -> None:
    first = published(publication, spark, "a", 0.5)
    second = published(publication, spark, "b", 0.25)
    publication.lake.make_current(tables.EDGES, first, second)
    assert publication.withdraw("b")
    assert not publication.withdraw("b")
    assert refs(spark, publication.lake) == {"main", "run-a"}

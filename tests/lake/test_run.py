"""A stage's commits: keys and inputs of a change, what a run adopts, going back, the rows of the run's model."""

from __future__ import annotations

import uuid
from types import SimpleNamespace

import pytest
from pyspark.sql import SparkSession

from facesieve.core import tables
from facesieve.core.config import Config
from facesieve.core.config import Lake as Place
from facesieve.lake.catalog import Lake
from facesieve.lake.run import Run


@pytest.fixture
def run(spark: SparkSession):
    lake = Lake(spark, Place(namespace=f"ns_{uuid.uuid4().hex[:8]}"))
    return Run("r1", Config(), None, "m@1", False, spark, lake, SimpleNamespace(stages={}, warnings=[]))


def _edges(spark, *cosines):
    return spark.createDataFrame([("global", 1, 2, cosine, None) for cosine in cosines], tables.EDGES.columns)


def _epoch(spark, name):
    row = (name, "settings", "{}", b"\0" * 8, None, None, None, None, None)
    return spark.createDataFrame([row], tables.EPOCHS.columns)


def test_a_stage_changes_a_table_at_once_and_is_reused_as_a_whole(run, spark: SparkSession) -> None:
    stage = run.stage("link", (tables.EPOCHS, tables.EDGES), (), cosine=0.5)
    before = stage.since["edges"]
    stage.overwrite(tables.EPOCHS, _epoch(spark, "e1"))
    with stage.change(tables.EDGES) as change:
        change.overwrite(_edges(spark, 0.5, 0.75))
        change.append(_edges(spark, 0.25))
        assert run.lake.standing(tables.EDGES) == before
    assert run.at["edges"] == change.at == run.lake.standing(tables.EDGES)
    assert (change.at.key, change.at.inputs) == (stage.key, {"epochs": run.at["epochs"].id})
    assert stage.read(tables.EDGES).count() == 3
    assert stage.former(tables.EDGES).count() == 0
    again = Run("r2", run.config, None, run.model, False, spark, run.lake, run.ledger)
    run.ledger.step_of = lambda *_: None
    assert again.stage("link", (tables.EPOCHS, tables.EDGES), (), cosine=0.5).reuse()
    assert not again.stage("link", (tables.EPOCHS, tables.EDGES), (), cosine=0.6).reuse()
    run.restore(tables.ALL)
    assert run.lake.standing(tables.EDGES) == before


def test_a_change_that_fails_leaves_the_stage_where_it_was(run, spark: SparkSession) -> None:
    stage = run.stage("link", (tables.EDGES,), ())

    def failing():
        with stage.change(tables.EDGES) as change:
            change.overwrite(_edges(spark, 0.5))
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        failing()
    assert run.at == {}
    assert not stage.reuse()


def test_a_part_is_never_reused_and_the_next_commit_goes_on_from_it(run, spark: SparkSession) -> None:
    stage = run.stage("link", (tables.EDGES,), ())
    stage.append(tables.EDGES, _edges(spark, 0.5), "1/2")
    assert run.lake.find(tables.EDGES, stage.key) is None
    stage.append(tables.EDGES, _edges(spark, 0.75))
    assert run.lake.find(tables.EDGES, stage.key) == run.at["edges"]
    assert sorted(row.cosine for row in stage.read(tables.EDGES).collect()) == [0.5, 0.75]


def test_rows_of_the_runs_model(run, spark: SparkSession) -> None:
    rows = [(image, "u", None, "empty", "", model) for image, model in ((1, "m@1"), (2, "m@2"), (3, "m@1"))]
    stage = run.stage("embed", (tables.REJECTS,), ())
    stage.overwrite(tables.REJECTS, spark.createDataFrame(rows, tables.REJECTS.columns))
    assert sorted(row.image_id for row in stage.of_model(tables.REJECTS).collect()) == [1, 3]

"""A stage: keys and inputs of its commits, what a run adopts, reuse, going back, the rows of the run's model."""

from __future__ import annotations

import pytest
from pyspark.sql import DataFrame, SparkSession
from small_lake import edges

from facesieve.core import tables
from facesieve.core.config import Config
from facesieve.core.errors import ConfigError
from facesieve.core.profiles import Profile
from facesieve.lake.catalog import Lake
from facesieve.lake.decide_records import PublishRecord
from facesieve.lake.ledger import Ledger
from facesieve.lake.records import LinkRecord
from facesieve.lake.run import Run
from facesieve.lake.source_digest import code_digest
from facesieve.lake.step_record import StepRecord

PROFILE = Profile(file="", sha256="0" * 64, form="tflite", input=(160, 160), normalisation="none", dimension=2)


def begun(lake: Lake, spark: SparkSession, name: str) -> Run:
    return Run(name, Config(), PROFILE, "m@1", False, spark, lake, Ledger(spark, lake, name, Config(), "m@1"))


@pytest.fixture
def run(spark: SparkSession, lake: Lake) -> Run:
    lake.open(tables.RUNS)
    return begun(lake, spark, "r1")


def _epoch(spark: SparkSession, name: str) -> DataFrame:
    row = (name, "settings", "{}", b"\0" * 8, None, None, None, None, None)
    return spark.createDataFrame([row], tables.EPOCHS.columns)


def test_a_stage_changes_a_table_at_once_and_is_reused_as_a_whole(run: Run, spark: SparkSession) -> None:
    stage = run.stage("link", (tables.EPOCHS, tables.EDGES), (), cosine=0.5)
    before = stage.since["edges"]
    stage.overwrite(tables.EPOCHS, _epoch(spark, "e1"))
    with stage.change(tables.EDGES) as change:
        change.overwrite(edges(spark, 0.5, 0.75))
        change.append(edges(spark, 0.25))
        assert run.lake.snapshot(tables.EDGES) == before
    assert run.at["edges"] == change.at == run.lake.snapshot(tables.EDGES)
    assert (change.at.key, change.at.inputs) == (stage.key, {"epochs": run.at["epochs"].id})
    assert stage.read(tables.EDGES).count() == stage.count(tables.EDGES) == 3
    assert stage.former(tables.EDGES).count() == 0
    again = begun(run.lake, spark, "r2")
    assert again.stage("link", (tables.EPOCHS, tables.EDGES), (), cosine=0.5).reuse()
    assert not again.stage("link", (tables.EPOCHS, tables.EDGES), (), cosine=0.6).reuse()
    run.restore(tables.ALL)
    assert run.lake.snapshot(tables.EDGES) == before


def test_a_change_that_fails_leaves_the_stage_where_it_was(run: Run, spark: SparkSession) -> None:
    stage = run.stage("link", (tables.EDGES,), ())

    def failing() -> None:
        with stage.change(tables.EDGES) as change:
            change.overwrite(edges(spark, 0.5))
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        failing()
    assert run.at == {}
    assert not stage.reuse()


def test_a_part_is_never_reused_and_the_next_commit_goes_on_from_it(run: Run, spark: SparkSession) -> None:
    stage = run.stage("link", (tables.EDGES,), ())
    stage.append(tables.EDGES, edges(spark, 0.5), "1/2")
    assert run.lake.find(tables.EDGES, stage.key) is None
    stage.append(tables.EDGES, edges(spark, 0.75))
    assert run.lake.find(tables.EDGES, stage.key) == run.at["edges"]
    assert sorted(row.cosine for row in stage.read(tables.EDGES).collect()) == [0.5, 0.75]


def test_rows_of_the_runs_model(run: Run, spark: SparkSession) -> None:
    rows = [(image, "u", None, "empty", "", model) for image, model in ((1, "m@1"), (2, "m@2"), (3, "m@1"))]
    stage = run.stage("embed", (tables.REJECTS,), ())
    stage.overwrite(tables.REJECTS, spark.createDataFrame(rows, tables.REJECTS.columns))
    assert sorted(row.image_id for row in stage.of_model(tables.REJECTS).collect()) == [1, 3]


def test_a_stage_that_is_reused_has_the_record_of_the_run_that_made_it(run: Run, spark: SparkSession) -> None:
    stage = run.stage("link", (tables.EDGES,), ())
    stage.overwrite(tables.EDGES, edges(spark, 0.5))
    stage.done(LinkRecord(rows_in=9, rows_out=1, cosines={"global": 0.6}))
    run.ledger.close("done", {})
    again = begun(run.lake, spark, "r2").stage("link", (tables.EDGES,), ())
    assert again.reuse()
    again.done(again.reused(9, 1))
    record = again.run.ledger.stages["link"]
    assert isinstance(record, LinkRecord)
    assert (record.cosines, record.reused, record.key) == ({"global": 0.6}, True, stage.key)
    first = run.ledger.stages["link"]
    assert not first.reused
    assert first.jobs
    assert (first.tasks or 0) > (record.tasks or 0) > 0, "a stage has the numbers of its own work"


def test_a_stage_of_a_run_that_has_no_record_is_reused_all_the_same(run: Run, spark: SparkSession) -> None:
    run.stage("link", (tables.EDGES,), ()).overwrite(tables.EDGES, edges(spark, 0.5))
    again = begun(run.lake, spark, "r2").stage("link", (tables.EDGES,), ())
    assert again.reuse()
    assert (again.earlier, again.reused(None, 1)) == (None, StepRecord(rows_out=1, reused=True))


def test_changed_code_is_computed_anew(run: Run, spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = run.stage("link", (tables.EDGES,), ())
    stage.overwrite(tables.EDGES, edges(spark, 0.5))
    digests = {"link": code_digest("link"), "cluster": "changed"}
    monkeypatch.setattr("facesieve.lake.run.code_digest", digests.__getitem__)
    assert run.stage("link", (tables.EDGES,), ()).reuse()
    digests["link"] = "changed"
    assert not run.stage("link", (tables.EDGES,), ()).reuse()


def test_a_stage_without_its_input_says_which_job_makes_it(run: Run) -> None:
    with pytest.raises(ConfigError, match=r"table clusters: is not in this lake yet\. Run jobs/cluster\.py first"):
        run.stage("decide", (tables.DECISIONS,), (tables.CLUSTERS,))


def test_a_stage_says_what_it_did(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    stage = run.stage("publish", (tables.CLEANED,), ())
    stage.done(PublishRecord(rows_in=1_200, rows_out=3))
    stage.done(stage.reused(1_200, 3))
    first, second = caplog.messages
    assert first.startswith("publish: 1,200 rows in, 3 rows out, ")
    assert second.startswith("publish: reused, 3 rows out, ")

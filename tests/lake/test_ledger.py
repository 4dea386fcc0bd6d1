"""The table `runs`: rows that start, end, are resumed and undone."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from facesieve.core import side_sections, tables
from facesieve.core.config import Config
from facesieve.core.errors import ConfigError
from facesieve.lake.catalog import Lake
from facesieve.lake.ledger import Entry, Ledger, new_name, newest_first, snapshot_ids
from facesieve.lake.records import LinkRecord, RunRecord

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def entry(run: str, started: int, ended: int | None = None) -> Entry:
    """A row of a run that was at work between two minutes after noon."""
    until = None if ended is None else NOON + timedelta(minutes=ended)
    return Entry(run, "done", NOON + timedelta(minutes=started), until, {}, {})


def test_names_of_runs() -> None:
    assert re.fullmatch(r"20261124T120000-[0-9a-f]{4}", new_name(NOON))


def test_runs_that_were_at_work_after_another_began() -> None:
    early, long_one, late, killed = entry("early", 0, 2), entry("long", 1, 9), entry("late", 5, 6), entry("killed", 7)
    everybody = [early, long_one, late, killed]
    assert [each.run for each in newest_first(everybody)] == ["long", "killed", "late", "early"]
    assert [each.run for each in late.followed(everybody)] == ["long", "killed"]
    assert killed.followed(everybody) == [long_one]


def test_snapshot_ids_of_tables_that_are_there(lake: Lake) -> None:
    edges = lake.snapshot(tables.EDGES)
    assert snapshot_ids({"votes": None, "edges": edges}) == {"edges": edges.id}


def ledger(spark: SparkSession, lake: Lake, run: str) -> Ledger:
    return Ledger(spark, lake, run, Config(), "m@1")


def test_a_row_from_start_to_end(spark: SparkSession, lake: Lake) -> None:
    assert ledger(spark, lake, "r1").entries() == []
    first = ledger(spark, lake, "r1")
    first.open({"edges": 3})
    assert [(each.run, each.status, each.ended) for each in first.entries()] == [("r1", "started", None)]
    first.stages["link"] = LinkRecord(rows_in=9, rows_out=4, cosines={"global": 0.6})
    first.warnings.append("careful")
    record = first.close("failed", {"edges": 4}, "because")
    row = lake.read(tables.RUNS, lake.snapshot(tables.RUNS)).collect()[0]
    assert (row.status, row.before, row.after) == ("failed", {"edges": 3}, {"edges": 4})
    assert json.loads(row.record) == json.loads(json.dumps(record.to_json())) == first.record_of("r1").to_json()
    assert (record.error, record.warnings, record.config["link"]["scope"]) == ("because", ["careful"], "both")
    assert first.step_of("r1", "link") == first.stages["link"]
    assert first.step_of("r1", "cluster") is first.step_of("nobody", "link") is None
    assert first.record_of("nobody") == RunRecord()


def test_an_unfinished_run_is_resumed_and_a_finished_one_is_not(spark: SparkSession, lake: Lake) -> None:
    ledger(spark, lake, "r1").open({"edges": 1})
    again = ledger(spark, lake, "r1")
    again.open({"edges": 2})
    assert again.before == {"edges": 1}, "undo goes back to what stood before its first start"
    ledger(spark, lake, "r2").open({"edges": 3})
    later = ledger(spark, lake, "r1")
    later.open({"edges": 4})
    assert later.before == {"edges": 4}, "another run was at work meanwhile"
    later.close("done", {})
    with pytest.raises(ConfigError, match="a run named r1 is finished"):
        ledger(spark, lake, "r1").open({})


def test_a_row_that_is_marked_undone_keeps_all_else(spark: SparkSession, lake: Lake) -> None:
    first = ledger(spark, lake, "r1")
    first.open({"edges": 1})
    record = first.close("done", {"edges": 2})
    rows = lake.read(tables.RUNS, lake.snapshot(tables.RUNS))
    odd = json.dumps(record.to_json() | {"of another version": [1]})
    lake.put_row(tables.RUNS, rows.withColumn("record", F.lit(odd)), "run", "r1")
    first.mark_undone("r1")
    assert ledger(spark, lake, "r2").open({}) == frozenset({"r1"})
    assert {entry.run: entry.after for entry in first.entries()} == {"r1": {"edges": 2}, "r2": {}}
    row = lake.read(tables.RUNS, lake.snapshot(tables.RUNS)).where("run = 'r1'").collect()[0]
    marked = json.loads(row.record)
    assert marked["undone"] > record.started
    acts = marked.pop("acts")
    assert [act["what"] for act in acts] == ["started", "done", "undone"]
    assert marked | {"acts": acts[:-1]} == json.loads(odd) | {"status": "undone", "undone": acts[-1]["at"]}


def test_every_act_says_who_and_what_for_and_none_is_lost_when_a_run_is_resumed(
    spark: SparkSession, lake: Lake
) -> None:
    ledger(spark, lake, "r1").open({})
    audit = side_sections.Audit(operator="desk 4", purpose="clean the set", basis="consent")
    again = Ledger(spark, lake, "r1", Config(run=audit), "m@1")
    again.open({})
    again.close("failed", {})
    Ledger(spark, lake, "", Config(run=side_sections.Audit(operator="desk 5")), "").mark_undone("r1")
    acts = again.records()[0]["acts"]
    assert [(act["what"], act["operator"], act["purpose"], act["basis"]) for act in acts] == [
        ("started", "", "", ""),
        ("resumed", "desk 4", "clean the set", "consent"),
        ("failed", "desk 4", "clean the set", "consent"),
        ("undone", "desk 5", "", ""),
    ]
    assert [act["at"] for act in acts] == sorted(act["at"] for act in acts)


def test_a_job_that_is_no_run_has_a_row_that_no_reader_of_runs_takes_for_one(spark: SparkSession, lake: Lake) -> None:
    side = ledger(spark, lake, "")
    side.begin("maintain")
    assert side.records() == [], "there is no ledger yet"
    ledger(spark, lake, "r1").open({"edges": 1})
    side = ledger(spark, lake, "")
    side.begin("maintain")
    assert [record["status"] for record in side.records()] == ["started", "maintain"]
    side.end("maintain", "done", {"expired": 3})
    assert [each.run for each in side.entries()] == ["r1"]
    resumed = ledger(spark, lake, "r1")
    resumed.open({"edges": 2})
    assert resumed.before == {"edges": 1}, "what the job did moved no table of the run"
    noted = next(record for record in side.records() if record["status"] == "maintain")
    assert [(act["what"], act.get("facts")) for act in noted["acts"]] == [("started", None), ("done", {"expired": 3})]

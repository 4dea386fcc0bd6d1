"""runs: the audit as people and programs read it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from finished import Finished
from publishing import Decided, Shop
from pyspark.sql import SparkSession

from facesieve.cli import commands, runs
from facesieve.cli.runs import acts_of
from facesieve.lake.records import RunRecord

WHO = ("run.operator=desk 4", "run.purpose=clean the set", "run.basis=consent")
REQUIRED = "run.require_purpose=true"


def test_a_lake_without_runs(spark: SparkSession, capsys: pytest.CaptureFixture[str]) -> None:
    assert Finished(spark).ask(runs) == 0
    assert capsys.readouterr().out == "There is no run in this lake yet.\n"


def test_a_record_of_before_tells_its_times() -> None:
    record = RunRecord(run="r", started="2026-11-24T08", ended="2026-11-24T09", status="done")
    assert [(act.at, act.what) for act in acts_of(record)] == [("2026-11-24T08", "started"), ("2026-11-24T09", "done")]


def test_every_job_that_writes_is_in_the_export_and_none_goes_without_the_purpose_that_is_required(
    spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = Shop(spark, tmp_path)
    refused = [
        shop.apply("r0", {"a.jpg": Decided()}, REQUIRED),
        shop.undo("r0", ("--set", REQUIRED)),
        asked(shop, "maintain", REQUIRED, "--apply"),
    ]
    assert (refused, capsys.readouterr().err.count("run.purpose: is empty, but run.require_purpose is true")) == (
        [2, 2, 2],
        3,
    )
    assert shop.apply("r1", {"a.jpg": Decided()}, REQUIRED, *WHO) == 0
    assert shop.undo("r1", ("--set", WHO[0])) == 0
    assert asked(shop, "maintain", REQUIRED) == 0, "a dry run writes nothing"
    assert asked(shop, "maintain", REQUIRED, WHO[1], "--apply") == 0
    capsys.readouterr()
    assert asked(shop, "runs", "--json") == 0
    exported = json.loads(capsys.readouterr().out)["runs"]
    assert [lines(record) for record in exported] == [
        [
            ("started", "desk 4", "clean the set", "consent"),
            ("done", "desk 4", "clean the set", "consent"),
            ("undone", "desk 4", "", ""),
        ],
        [("started", "", "clean the set", ""), ("done", "", "clean the set", "")],
    ]
    assert exported[1]["acts"][1]["facts"] == {"expired": 0, "orphans": 0, "scratch": 0}
    assert asked(shop, "runs") == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split() == ["at", "run", "what", "operator", "purpose", "basis"]
    assert [row.split()[1] for row in rows] == ["r1", "r1", "r1", "maintain", "maintain"]


def asked(shop: Shop, job: str, *words: str) -> int:
    sets = [word for word in words if not word.startswith("--")]
    return commands.run(job, [*shop.arguments("images.root=", *sets), *(set(words) - set(sets))])


def lines(record: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    return [(act["what"], act["operator"], act["purpose"], act["basis"]) for act in record["acts"]]

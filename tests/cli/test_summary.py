"""What a person reads at the end."""

from __future__ import annotations

from typing import Any

from facesieve.cli import summary
from facesieve.lake.records import RunRecord


def _record(reused: bool, apply: bool) -> RunRecord:
    stage: dict[str, Any] = {
        "rows_in": 1200,
        "rows_out": 3,
        "seconds": 1.25,
        "reused": reused,
        "reasons": {"outlier": 2},
    }
    decide = stage | {"verdicts": {"keep": 1, "drop": 2}, "given": 3}
    in_global: dict[str, Any] = {"clusters": 2, "largest_share": None, "supersteps": 4, "unstable": 31, "loose": 17}
    if apply:
        in_global |= {"attached": 1_234, "churn": {"changed": 0.0123}}
        decide |= {"policies": {"largest": 1, "modes": 2_345}, "links": 67}
    config = {
        "publish": {"apply": apply, "outputs": ["parquet"], "export_root": "/out"},
        "lake": {"root": "/lake", "namespace": "faces", "catalog": "lake"},
    }
    stages = {"link": stage, "cluster": stage | {"global": in_global}, "decide": decide}
    return RunRecord.from_json({"run": "r1", "warnings": ["link: too few"], "stages": stages, "config": config})


def test_summary_shows_stages_clusters_verdicts_and_where_to_look() -> None:
    text = summary.of(_record(reused=False, apply=True))
    for part in (
        "Run r1: done",
        "1,200",
        "global",
        "outlier",
        "given",
        "WARNING: link: too few",
        "/lake/faces",
        "/out",
        "31        17     1,234",
        "1.2%",
        "largest 1, modes 2,345",
        "one person: 67",
    ):
        assert part in text
    assert "Dry run" not in text


def test_summary_says_up_to_date_and_dry_run() -> None:
    text = summary.of(_record(reused=True, apply=False))
    assert "up to date" in text
    assert "publish.apply = true" in text

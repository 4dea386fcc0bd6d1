"""What a person reads at the end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from facesieve.cli import summary
from facesieve.lake.records import EmbedRecord, RunRecord


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
    if apply:
        stages["publish"] = stage
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
        "31     17     1,234",
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


def _single(step: str, apply: bool) -> RunRecord:
    """The record of a run of one step, or of none (publish, dry)."""
    record = _record(reused=False, apply=apply).to_json()
    stage = {"rows_in": 9, "rows_out": 3, "reasons": {"no_face": 4, "empty": 2}}
    return RunRecord.from_json(record | {"stages": {step: stage} if step else {}})


@pytest.mark.parametrize(
    ("step", "apply", "next_step"),
    [
        ("embed", False, "Next: jobs/link.py"),
        ("link", True, "Next: jobs/cluster.py"),
        ("cluster", False, "Next: jobs/decide.py"),
        ("decide", True, "Next: jobs/publish.py"),
        ("decide", False, "Dry run: publish.apply = true"),
        ("publish", True, "exports: /out"),
        ("", False, "Dry run: publish.apply = true"),
    ],
)
def test_the_last_line_fits_the_step(step: str, apply: bool, next_step: str) -> None:
    text = summary.of(_single(step, apply))
    assert next_step in text.splitlines()[-1]
    assert ("Dry run" in text) == next_step.startswith("Dry run")
    assert "up to date" not in text


def test_embed_alone_counts_rejects_by_reason() -> None:
    text = summary.of(_single("embed", apply=False))
    assert "rejected  images\nempty          2\nno_face        4" in text, text


def test_formats_that_were_not_read_are_counted() -> None:
    record = _single("embed", apply=False)
    embed = replace(EmbedRecord(), not_decoded={"HEIC is not in embed.formats": 1_234})
    text = summary.of(replace(record, stages={"embed": embed}))
    assert "not read for its format" in text
    assert "HEIC is not in embed.formats   1,234" in text


def test_doubtful_clusters_are_named_in_the_order_of_the_queue() -> None:
    record = _record(reused=False, apply=False).to_json()
    record["stages"]["cluster"]["global"]["look_first"] = [
        {"cluster_id": -9007199254740993, "faces": 1_234, "stability": 0.5, "cohesion": 0.61},
        {"cluster_id": 7, "faces": 3, "stability": 0.9375, "cohesion": 0.4},
    ]
    text = summary.of(RunRecord.from_json(record))
    assert "Look at these clusters of scope global first" in text
    assert "scope identity first" not in text
    shown = [line.split() for line in text.splitlines()]
    at = shown.index(["-9007199254740993", "1,234", "0.500", "0.610"])
    assert shown[at + 1] == ["7", "3", "0.938", "0.400"]
    assert "Look at" not in summary.of(_record(reused=False, apply=False))


def test_summary_repeats_the_layout_with_what_was_left_out() -> None:
    layout = {"images": 70, "identities": 6, "fewest": 3, "most": 20, "left_out": {".txt": 14}}
    stages = {"listing": {"rows_in": 70, "rows_out": 70, "layout": layout}}
    config = {"publish": {"apply": False}, "lake": {"root": "/lake", "namespace": "faces"}}
    record = RunRecord.from_json({"run": "r1", "stages": stages, "config": config})
    first, second = summary.of(record).split("\n\n")[:2]
    assert first == "Run r1: done"
    assert second.startswith("Layout: 6 identities, 3 to 20 images each")
    assert "14 .txt" in second

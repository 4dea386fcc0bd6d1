"""The ledger's JSON: what each step writes, and rows of other versions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from facesieve.lake.decide_records import DecideRecord, PublishRecord
from facesieve.lake.records import ClusterRecord, LinkRecord, RunRecord, step_record
from facesieve.lake.scope_records import AttachmentRecord, ChurnRecord, ScopeRecord, VoteBasis
from facesieve.lake.step_record import StepRecord

BASE = {"seconds": 1.5, "jobs": 7, "tasks": 30, "key": "k", "reused": False, "rows_in": 9, "rows_out": 4, "reasons": {}}
CHURN = {"births": 1, "deaths": 0, "merges": 0, "splits": 2, "faces": 8, "changed": 0.25}
ATTACHMENT = {"leftovers": 3, "large": 2, "null": 40, "pi0": 0.5, "p": None, "joined": 0, "attached": 0, "reason": "no"}
VOTE = {
    "supersteps": 2,
    "unsettled": [5, 0],
    "settled": True,
    "coins": 8,
    "unsettled_coins": 0,
    "finished_locally": 0,
    "clusters": 4,
    "largest_share": 0.5,
    "unstable": 1,
    "loose": 0,
    "look_first": [{"cluster_id": -3, "faces": 2, "stability": 0.875, "cohesion": 0.5}],
    "churn": None,
}
LINK = {
    "epoch": "r1",
    "cosines": {"global": 0.6},
    "cells": 1,
    "probes": 1,
    "candidates": 36,
    "edges": 4,
    "recall": None,
    "recall_low": None,
    "recall_high": None,
    "lsh_recall": None,
    "false_matches": {
        "forecast": 3.0,
        "by_profile": 3.0,
        "by_estimate": None,
        "profile_line": [0.0, 0.18],
        "estimated_line": None,
        "estimated_from": None,
        "safe_cosine": 0.7,
        "genuine_below": None,
    },
    "new": None,
    "gone": None,
    "capped": 0,
}
CLUSTER = {
    "begun": {"epoch": "r1", "settings": "s"},
    "constraints": {"must": 0, "cannot": 1},
    "identity": VOTE | {"pi0": None, "attached": None},
    "global": VOTE | ATTACHMENT | {"churn": CHURN, "impostor_line": 0.4, "linked": 8, "hubs": 0, "false_matches": 0.5},
}
DECIDE = {
    "given": 9,
    "verdicts": {"keep": 8, "drop": 1},
    "missing": 0,
    "extra": 0,
    "policies": {"largest": 8},
    "contradicted": 0,
    "ruled_failed": 0,
    "links": 1,
    "folders": {
        "images": 9,
        "published": 8,
        "median": 4.5,
        "reason": "outlier",
        "reason_images": 1,
        "small": 1,
        "small_images": 0,
        "few": 0,
        "faceless": 0,
        "copies": 1,
        "split": 0,
    },
}
UNCHANGED = {"state": "d", "warnings": ["w"]}
STEPS: dict[str, dict[str, Any]] = {
    "listing": {"ignored": 1, "left_out": {"litter": {"@eaDir": 1}}, "layout": None, "new": 2, "gone": 3, "changed": 4}
    | UNCHANGED,
    "embed": {},
    "link": LINK,
    "cluster": CLUSTER,
    "decide": DECIDE,
    "publish": {"known": 9, "changed": 1, "gone": 0, "added": 3, "exported": 2},
    "a step of another version": {},
}


@pytest.mark.parametrize("step", STEPS)
def test_what_a_step_writes_is_read_and_written_again(step: str) -> None:
    written = BASE | {"reasons": {"outlier": 1}} | STEPS[step]
    assert json.loads(json.dumps(step_record(step, written).to_json())) == written


@pytest.mark.parametrize("step", STEPS)
def test_a_row_of_another_version_is_read(step: str) -> None:
    assert step_record(step, {}).to_json().items() >= StepRecord().to_json().items()
    assert step_record(step, {"rows_in": 3, "of another version": {"a": 1}}) == step_record(step, {"rows_in": 3})


def test_fields_that_later_runs_decide_upon() -> None:
    link, cluster = step_record("link", LINK), step_record("cluster", CLUSTER)
    assert isinstance(link, LinkRecord)
    assert link.false_matches is not None
    assert (link.cosines, link.false_matches.forecast) == ({"global": 0.6}, 3.0)
    assert isinstance(cluster, ClusterRecord)
    assert cluster.begun == VoteBasis(epoch="r1", settings="s")
    assert (cluster.scopes["global"].settled, cluster.scopes["global"].churn) == (True, ChurnRecord.from_json(CHURN))
    assert cluster.scopes["identity"].attachment is None


def test_a_scope_of_an_older_version_has_not_settled() -> None:
    scope = ScopeRecord.from_json({"clusters": 3, "attached": 2})
    assert (scope.settled, scope.attachment) == (False, AttachmentRecord(attached=2))


def test_absent_and_null_are_kept_apart() -> None:
    assert "links" not in DecideRecord(listed=3).to_json()
    assert DecideRecord(listed=3, links=0).to_json()["links"] == 0
    assert LinkRecord().to_json()["recall"] is None
    assert PublishRecord(decided_before=3).to_json()["known"] == 3
    assert ScopeRecord().to_json()["attached"] is None


def test_a_run() -> None:
    publish = {"apply": True, "outputs": ["parquet"], "export_root": "/out"}
    stages = {step: BASE | facts for step, facts in STEPS.items()}
    written = {
        "run": "r1",
        "started": "s",
        "ended": None,
        "status": "done",
        "config": {"publish": publish},
        "versions": {"code": "1"},
        "model": "m",
        "before": {},
        "after": {"edges": 3},
        "stages": stages,
        "warnings": ["w"],
    }
    record = RunRecord.from_json(written)
    assert record.to_json() == written
    assert record.export_root == "/out"
    none: list[dict[str, Any]] = [{"apply": False}, {"outputs": []}, {"export_root": ""}]
    for unused in none:
        assert RunRecord.from_json(written | {"config": {"publish": publish | unused}}).export_root == ""
    assert RunRecord.from_json({"stages": None}).export_root == RunRecord().export_root == ""

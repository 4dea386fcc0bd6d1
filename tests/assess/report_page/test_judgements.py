"""What became of judgements: followed, changed, contradicted; and how often people left things as proposed."""

from __future__ import annotations

from typing import Any

import pytest
from report_folder import Folder
from reported import ANN, BOB, CMD, Reported

from facesieve.assess.report_page.given_files import GivenFile
from facesieve.assess.report_page.judgements import constraint_judgements, reliability
from facesieve.assess.report_page.run_tables import RunTables
from facesieve.images.side_tables import Row


@pytest.fixture(scope="module")
def judged(full: Folder) -> dict[str, Any]:
    return dict(full.data("summary")["judgements"])


def test_an_override_is_followed_changes_a_verdict_and_is_contradicted(judged: dict[str, Any], world: Reported) -> None:
    image = str(world.image[CMD, 3])
    assert judged["overrides"] == {
        "rows": 1,
        "followed": 1,
        "changed": [{"image_id": image, "verdict_before": "drop", "verdict": "keep"}],
        "contradicted": [
            {"image_id": image, "verdict": "keep", "proposal": "drop", "who": "Kim", "at": "2026-11-20T10:00:00Z"}
        ],
    }


def test_a_constraint_is_followed(judged: dict[str, Any]) -> None:
    assert judged["constraints"] == {"rows": 1, "followed": 1, "contradicted": []}


def test_without_names_nobody_is_named_as_judge(plain: Folder) -> None:
    (row,) = plain.data("summary")["judgements"]["overrides"]["contradicted"]
    assert (row["who"], row["at"], row["proposal"]) == (None, None, "drop")


def test_a_constraint_against_the_evidence_is_listed(run: RunTables, world: Reported) -> None:
    rows = [
        {"kind": "must", "image_a": world.image[ANN, 0], "image_b": world.image[BOB, 0]},
        {"kind": "cannot", "face_a": world.face[ANN, 0], "face_b": world.face[ANN, 1]},
        {"kind": "must", "face_a": world.face[ANN, 0], "face_b": world.face[ANN, 2]},
    ]
    file = GivenFile("cluster.constraints", "x", [Row(f"line {at}", row) for at, row in enumerate(rows)])
    answer = constraint_judgements(run, file)
    assert (answer["rows"], answer["followed"]) == (3, 1)
    assert [row["kind"] for row in answer["contradicted"]] == ["must", "cannot"]
    assert answer["contradicted"][0]["image_b"] == str(world.image[BOB, 0])


def test_reliability_counts_confidences_and_what_people_left(run: RunTables, before: RunTables) -> None:
    bands = reliability(run, before)
    assert sum(band["count"] for band in bands) == 24
    assert bands[9]["right"] == 0.0, "the run before was sure of a drop that a person took back"
    assert {band["right"] for band in bands[:9]} == {None}
    assert {band["right"] for band in reliability(run, None)} == {None}

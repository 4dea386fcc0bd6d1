"""Alike images are one question; what nobody doubts and what a person has judged is none."""

from __future__ import annotations

from typing import Any

import pytest
from reported import ANN, BOB, CMD, SCRIPT, Reported

from facesieve.assess.report_page.contents import Frames
from facesieve.assess.report_page.looked_at import LookedAt
from facesieve.assess.report_page.questions import questions


@pytest.fixture(scope="module")
def asked(shared: Frames) -> dict[int, dict[str, Any]]:
    """Questions by their most doubtful image."""
    return {row["first"]["image_id"]: row.asDict(recursive=True) for row in questions(shared.images).collect()}


def test_each_kind_is_asked_once(asked: dict[int, dict[str, Any]], world: Reported) -> None:
    kinds = {image: row["kind"] for image, row in asked.items()}
    second = max((ANN, 9), (ANN, 8), key=lambda key: key == (ANN, 9))
    assert kinds == {
        world.image[ANN, 5]: "outlier",
        world.image[ANN, 7]: "duplicate",
        min(world.image[ANN, 8], world.image[second]): "two_modes",
        world.image[BOB, 5]: "flip",
        world.image[CMD, 4]: "reject",
        world.image[SCRIPT, 4]: "quarantine",
    }, "a person has judged the image 3 of =cmd"


def test_a_second_cluster_is_one_question_about_its_images(asked: dict[int, dict[str, Any]], world: Reported) -> None:
    (row,) = [row for row in asked.values() if row["kind"] == "two_modes"]
    assert (row["effect"], row["wrong"], row["worth"]) == (2, pytest.approx(0.05), pytest.approx(0.1))
    assert {each["image_id"] for each in row["images"]} == {world.image[ANN, 8], world.image[ANN, 9]}


def test_the_same_bytes_in_two_folders_are_one_question(shared: Frames, world: Reported) -> None:
    pair = [str(world.image[CMD, 0]), str(world.image[BOB, 0])]
    twins = shared.images.where(f"image_id IN ({', '.join(pair)})").selectExpr(
        *(name for name in shared.images.columns if name not in ("verdict", "reasons", "sha256", "wrong", "kind")),
        "'quarantine' verdict",
        "array('two_identities') reasons",
        "'same' sha256",
        "0.5D wrong",
        "'quarantine' kind",
    )
    (row,) = questions(LookedAt(twins)).collect()
    assert (row["effect"], row["worth"], len(row["images"])) == (2, 1.0, 2)


def test_images_without_a_folder_are_asked_about_one_by_one(shared: Frames) -> None:
    nameless = shared.images.where("verdict = 'drop'").drop("identity").selectExpr("*", "string(null) identity")
    assert sorted(row["effect"] for row in questions(LookedAt(nameless)).collect()) == [1, 1, 1]

"""The queue: worth most first, and everybody in it named."""

from __future__ import annotations

from typing import Any

import pytest
from report_folder import Folder
from reported import ANN, BOB, CMD, Reported

from facesieve.assess.report_page.directory import Directory
from facesieve.assess.report_page.queue import Draft, entry


@pytest.fixture(scope="module")
def entries(full: Folder) -> dict[str, dict[str, Any]]:
    """Entries by kind; each kind is there once."""
    return {each["kind"]: each for each in full.data("queue-0001")["entries"]}


def test_what_is_worth_most_comes_first(full: Folder) -> None:
    rows = full.data("queue-0001")["entries"]
    expected = [each["expected"] for each in rows]
    assert expected == sorted(expected, reverse=True)
    assert [each["kind"] for each in rows][:2] == ["identity_link", "low_cohesion"]
    assert all(each["expected"] == pytest.approx(each["wrong"] * each["effect"], abs=2e-4) for each in rows)
    assert all(each["value"] == pytest.approx(each["expected"] / (1 + each["expected"]), abs=2e-4) for each in rows)


def test_the_evidence_stands_beside_the_image(entries: dict[str, dict[str, Any]], world: Reported) -> None:
    flip = entries["flip"]
    assert flip["image"]["image_id"] == str(world.image[BOB, 5])
    assert flip["nearest"]["image_id"] == str(world.image[BOB, 0])
    assert flip["medoid"]["image_id"] == str(world.image[BOB, 0])
    assert flip["other"]["image_id"] == str(world.image[ANN, 0]), "the medoid of the folder that it goes to"
    assert (flip["folder"]["label"], flip["target"]["label"], flip["verdict"]) == (BOB, ANN, "move")
    assert (flip["confidence"], flip["cosine"], flip["margin"], flip["share"]) == (0.8, 0.8, 0.1, 0.5)
    copy = entries["duplicate"]
    assert copy["other"]["image_id"] == str(world.image[ANN, 0])


def test_a_cluster_and_a_pair_of_folders_have_no_image_of_their_own(
    entries: dict[str, dict[str, Any]], world: Reported
) -> None:
    loose, link = entries["low_cohesion"], entries["identity_link"]
    assert (loose["image"], loose["effect"], loose["wrong"]) == (None, 5, 0.5)
    assert loose["cluster"]["label"].startswith("cluster ")
    assert (link["image"], link["folder"]["label"], link["target"]["label"]) == (None, CMD, BOB)
    assert link["effect"] == 5
    assert link["medoid"]["image_id"] == str(world.image[CMD, 0])


def test_what_is_not_known_stays_empty() -> None:
    bare = entry(Draft("x", "reject", 0.05, 2, image=-7), Directory(False, {}, {}, {}, {}))
    assert (bare.image and bare.image.image_id, bare.folder, bare.nearest, bare.medoid) == ("-7", None, None, None)
    assert bare.expected == pytest.approx(0.1)

"""Pairs of contact sheets: links, splits and merges."""

from __future__ import annotations

from typing import Any

import pytest
from report_folder import Folder
from reported import ANN, BOB, CMD, SCRIPT, Reported

from facesieve.assess.report_page.contents import Frames
from facesieve.assess.report_page.pairs import sides
from facesieve.assess.report_page.queue import Draft


@pytest.fixture(scope="module")
def shown(full: Folder) -> dict[str, dict[str, Any]]:
    return {pair["kind"]: pair for pair in full.data("pairs-0001")["pairs"]}


def test_two_folders_stand_side_by_side(shown: dict[str, dict[str, Any]], world: Reported) -> None:
    link = shown["identity_link"]
    assert (link["a"]["label"], link["b"]["label"], link["confidence"]) == (BOB, CMD, 0.8)
    assert {each["image_id"] for each in link["sheet_b"]} <= {str(world.image[CMD, place]) for place in range(4)}


def test_parts_of_clusters_stand_side_by_side(shown: dict[str, dict[str, Any]], world: Reported) -> None:
    split, merged = shown["split"], shown["merged"]
    assert {each["image_id"] for each in split["sheet_b"]} == {str(world.image[ANN, place]) for place in (8, 9)}
    assert (split["a"]["size"], split["b"]["size"]) == (8, 2)
    assert (merged["b"]["label"], merged["b"]["page"], merged["b"]["named"]) == ("former cluster", None, False)
    both = {each["image_id"] for name in ("sheet_a", "sheet_b") for each in merged[name]}
    assert both == {str(world.image[SCRIPT, place]) for place in range(4)}


def test_the_surest_images_of_the_main_cluster_stand_for_a_folder(shared: Frames, world: Reported) -> None:
    chosen = sides(shared.images, [Draft("x", "identity_link", 0.5, 1, folder=ANN, target=None)])
    assert {image for image, _ in chosen[ANN]} == {world.image[ANN, place] for place in (0, 1, 2, 3, 4, 6)}
    assert sides(shared.images, []) == {}

"""Contact sheets: order, modes, copies on their original, what is not kept, pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from report_folder import Folder
from reported import ANN, BOB, CMD, SCRIPT, SIZES, Reported

from facesieve.assess.report_page.contents import Frames
from facesieve.assess.report_page.run_tables import RunTables
from facesieve.assess.report_page.sheets import CHOSEN, Chosen, SheetStyle, members, references, write_sheets
from facesieve.images.storage import Storage


@pytest.fixture(scope="module")
def sheet_of(full: Folder) -> dict[str, dict[str, Any]]:
    """First pages of sheets, by label."""
    groups = full.data("groups-0001")["groups"]
    return {group["label"]: full.data(group["page"]) for group in groups if group["kind"] == "folder"}


def test_a_sheet_goes_from_core_to_border(sheet_of: dict[str, dict[str, Any]], world: Reported) -> None:
    (mode,) = sheet_of[ANN]["modes"]
    cosines = [member["cosine"] for member in mode["members"]]
    assert cosines == sorted(cosines, reverse=True)
    assert cosines[0] == 1.0
    assert mode["members"][0]["image_id"] == str(world.image[ANN, 0]), "the medoid is the core"
    assert mode["cluster"]["label"].startswith("cluster ")


def test_a_copy_lies_on_its_original_and_nowhere_else(sheet_of: dict[str, dict[str, Any]], world: Reported) -> None:
    copy = str(world.image[ANN, 7])
    core = sheet_of[ANN]["modes"][0]["members"][0]
    assert [each["image_id"] for each in core["copies"]] == [copy]
    assert copy not in {each["image_id"] for each in sheet_of[ANN]["dropped"]}


def test_what_is_not_kept_says_why(sheet_of: dict[str, dict[str, Any]], world: Reported) -> None:
    dropped = {each["image_id"]: each for each in sheet_of[ANN]["dropped"]}
    assert {each["reasons"][0] for each in dropped.values()} == {"outlier"}
    assert set(dropped) == {str(world.image[ANN, 8]), str(world.image[ANN, 9])}
    assert [each["reasons"] for each in sheet_of[CMD]["dropped"]] == [["no_face"]]


def test_a_moved_image_names_the_folder_it_goes_to(sheet_of: dict[str, dict[str, Any]], world: Reported) -> None:
    members = [each for mode in sheet_of[BOB]["modes"] for each in mode["members"]]
    (moved,) = [each for each in members if each["verdict"] == "move"]
    assert moved["moved_to"]["label"] == ANN
    assert moved["name"] == f"{BOB}/5.jpg"


def test_a_long_sheet_has_pages(shared: Frames, run: RunTables, world: Reported, tmp_path: Path) -> None:
    chosen = Chosen(run.listing.sparkSession.createDataFrame([("f9", "folder", "folder 9", ANN, None)], CHOSEN))
    named = references(shared.groups, chosen, names=False)
    rows = members(shared.images, chosen, named, run)
    assert write_sheets(rows, Storage(str(tmp_path)), SheetStyle(4, names=False))[0] == 1
    pages = [Folder(tmp_path).data(name) for name in ("group-f9", "group-f9-0002", "group-f9-0003")]
    assert [(page["page"], page["pages"]) for page in pages] == [(1, 3), (2, 3), (3, 3)]
    shown = [each for page in pages for mode in page["modes"] for each in mode["members"]]
    left = [each for page in pages for each in page["dropped"]]
    assert len({each["image_id"] for each in (*shown, *left)}) == len(shown) + len(left) == SIZES[ANN] - 1
    assert {each["name"] for each in shown} == {None}
    assert [each["cosine"] for each in shown] == sorted((each["cosine"] for each in shown), reverse=True)


def test_a_cluster_shows_its_folders(full: Folder, sheet_of: dict[str, dict[str, Any]]) -> None:
    clusters = [group for group in full.data("groups-0001")["groups"] if group["kind"] == "cluster"]
    assert len(clusters) == 5
    assert {sheet["pages"] for sheet in sheet_of.values()} == {1}
    parts = {mode["cluster"]["label"] for mode in full.data(clusters[0]["page"])["modes"] if mode["cluster"]}
    assert parts <= {ANN, BOB, CMD, SCRIPT}

"""The summary as a whole: every field of the contract, and nothing of names without leave."""

from __future__ import annotations

import dataclasses

from report_folder import Folder
from reported import ANN, BOB, CMD, SCRIPT, Reported

from facesieve.assess.report_page.contract import Summary


def test_the_summary_has_all_that_the_page_reads(full: Folder, plain: Folder) -> None:
    for report in (full, plain):
        assert set(report.data("summary")) == {field.name for field in dataclasses.fields(Summary)}
    changes = full.data("summary")["changes"]
    assert (changes["clusters_split"], changes["clusters_merged"], changes["new_images"]) == (1, 1, 1)


def test_without_leave_no_name_path_or_picture_stands_in_the_folder(plain: Folder, world: Reported) -> None:
    text = plain.text()
    named = [name for name in (ANN, "Bob", "=cmd", ".jpg", "Kim", str(world.root)) if name in text]
    assert named == []
    assert not (plain.path / "pictures").exists()
    assert not plain.data("summary")["merge"], "the files hold names"


def test_names_that_look_like_markup_stay_text(full: Folder) -> None:
    text = full.text()
    assert "<script>" not in text
    assert "\\u003cscript\\u003e" in text
    labels = {group["label"] for group in full.data("groups-0001")["groups"]}
    assert {ANN, BOB, CMD, SCRIPT} <= labels


def test_what_the_run_read_is_there_to_be_merged(full: Folder) -> None:
    summary = full.data("summary")
    assert summary["merge"]
    assert summary["files"]["overrides"].startswith("image_id,verdict,moved_to,who,at,why\r\n")
    assert "'=1+1" in summary["files"]["overrides"], "a formula stays guarded"

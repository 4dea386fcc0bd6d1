"""Lists in pages."""

from __future__ import annotations

from pathlib import Path

from report_folder import Folder
from reported import ANN, BOB, CMD, SCRIPT

from facesieve.assess.report_page.lists import write_paged
from facesieve.images.storage import Storage


def test_a_list_is_cut_into_pages(tmp_path: Path) -> None:
    paged = write_paged(Storage(str(tmp_path)), "queue", "entries", list(range(5)), 2)
    assert (paged.entries, paged.per_page, paged.pages) == (5, 2, 3)
    assert Folder(tmp_path).data("queue-0003") == {"entries": [4]}
    assert write_paged(Storage(str(tmp_path)), "pairs", "pairs", [], 2).pages == 0


def test_the_kinds_of_the_queue_are_counted(full: Folder) -> None:
    kinds = {row["name"]: row["count"] for row in full.data("summary")["queue"]["kinds"]}
    assert kinds == dict.fromkeys(kinds, 1)
    assert len(kinds) == 8


def test_names_are_offered_where_they_are_shown(full: Folder, plain: Folder) -> None:
    assert full.data("folders-0001")["names"] == sorted([ANN, BOB, CMD, SCRIPT])
    assert plain.data("summary")["folders"]["pages"] == 0
    assert not (plain.path / "data" / "folders-0001.js").exists()

"""What is chosen: most trouble first, and bounded."""

from __future__ import annotations

import pytest
from report_folder import Folder
from reported import ANN, SCRIPT

from facesieve.assess.report_page.contents import Frames, contents, troubles
from facesieve.assess.report_page.run_tables import RunTables
from facesieve.core.side_sections import Report


def test_the_groups_of_most_trouble_come_first(full: Folder) -> None:
    groups = full.data("groups-0001")["groups"]
    folders = [group["label"] for group in groups if group["kind"] == "folder"]
    assert folders[:2] == [SCRIPT, ANN]
    ann = groups[[group["label"] for group in groups].index(ANN)]
    assert ann["verdicts"] == {"keep": 7, "drop": 3}
    assert (ann["size"], ann["kept"], ann["modes"], ann["cohesion"]) == (10, 7, 2, pytest.approx(0.9, abs=1e-3))


def test_a_queue_and_groups_are_no_longer_than_asked(run: RunTables, shared: Frames) -> None:
    chosen = contents(run, None, shared, Report(queue=2, groups=1))
    assert [draft.kind for draft in chosen.queue.drafts] == ["identity_link", "low_cohesion"]
    assert chosen.queue.counts["flip"] == 1
    (only,) = troubles(chosen)
    assert only.page == f"group-{only.id}"
    assert chosen.directory.named is False

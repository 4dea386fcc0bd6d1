"""What changed since the run before."""

from __future__ import annotations

from reported import ANN, SCRIPT, Reported

from facesieve.assess.report_page.changes import Part, cluster_changes, verdict_changes
from facesieve.assess.report_page.run_tables import RunTables


def test_verdicts_that_changed_and_images_that_came(run: RunTables, before: RunTables) -> None:
    assert verdict_changes(run, before) == {
        "verdicts": [{"from": "drop", "to": "keep", "count": 1}, {"from": "quarantine", "to": "keep", "count": 1}],
        "new_images": 1,
        "gone_images": 0,
    }
    assert verdict_changes(before, run)["gone_images"] == 1


def test_a_cluster_that_was_split_and_one_that_was_merged(run: RunTables, before: RunTables, world: Reported) -> None:
    changes = cluster_changes(run, before)
    assert (changes.split, changes.merged) == (1, 1)
    ((large, small),) = changes.splits
    assert [part[:3] for part in (large, small)] == [(10, 10, 8), (15, 10, 2)]
    assert small.faces == tuple(sorted((world.face[ANN, 8], world.face[ANN, 9])))
    assert len(large.faces) == 6
    ((first, second),) = changes.merges
    assert {part[:3] for part in (first, second)} == {(40, 40, 2), (40, 45, 2)}
    assert {*first.faces, *second.faces} == {world.face[SCRIPT, place] for place in range(4)}


def test_a_run_beside_itself_has_not_changed(run: RunTables) -> None:
    assert cluster_changes(run, run).splits == []
    assert Part(1, 2, 3).faces == ()

"""Folders and clusters: sizes, verdicts, modes, medoids, trouble."""

from __future__ import annotations

from typing import Any

import pytest
from reported import ANN, BOB, CMD, SCRIPT, Reported

from facesieve.assess.report_page.contents import Frames
from facesieve.assess.report_page.group_facts import GROUP_FACTS


@pytest.fixture(scope="module")
def facts(shared: Frames) -> dict[tuple[str, Any], dict[str, Any]]:
    assert shared.groups.columns == GROUP_FACTS.names
    rows = [row.asDict() for row in shared.groups.collect()]
    return {(row["kind"], row["identity"] or row["cluster"]): row for row in rows}


def test_folders_are_numbered_by_name(facts: dict[tuple[str, Any], dict[str, Any]]) -> None:
    numbers = {name: facts["folder", name]["number"] for name in (SCRIPT, CMD, ANN, BOB)}
    assert [name for name, _ in sorted(numbers.items(), key=lambda item: item[1])] == sorted(numbers)
    assert {facts["cluster", number]["number"] for number in (10, 15, 20, 30, 40)} == {1, 2, 3, 4, 5}


def test_a_folder_counts_its_images(facts: dict[tuple[str, Any], dict[str, Any]], world: Reported) -> None:
    ann = facts["folder", ANN]
    counts = {name: ann[name] for name in ("size", "kept", "modes", "keep", "drop", "move", "fail")}
    assert counts == {"size": 10, "kept": 7, "modes": 2, "keep": 7, "drop": 3, "move": 0, "fail": 0}
    assert ann["medoid"] == world.face[ANN, 0]
    assert ann["trouble"] == pytest.approx(0.3 + 0.1 + 2 * 0.05 + 6 * 0.01, abs=1e-6)
    assert facts["folder", CMD]["fail"] == 1


def test_a_cluster_knows_how_firm_it_is(facts: dict[tuple[str, Any], dict[str, Any]], world: Reported) -> None:
    loose = facts["cluster", 40]
    assert (loose["size"], loose["modes"], loose["medoid"]) == (5, 1, world.face[SCRIPT, 0])
    assert (round(loose["cohesion"], 3), round(loose["stability"], 3)) == (0.42, 0.8)

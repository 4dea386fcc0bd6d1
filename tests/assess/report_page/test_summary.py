"""The first screen: counts of the tables beside those of before, and what the ledger says."""

from __future__ import annotations

from report_folder import Folder

from facesieve.assess.report_page.summary import compared, of_record
from facesieve.lake.records import RunRecord


def test_counts_are_those_of_the_tables(full: Folder) -> None:
    summary = full.data("summary")
    verdicts = {row["name"]: (row["count"], row["before"]) for row in summary["verdicts"]}
    assert verdicts == {"keep": (20, 18), "drop": (3, 4), "move": (1, 1), "quarantine": (1, 1), "fail": (1, 1)}
    assert summary["totals"] == {"images": 26, "faces": 25, "folders": 4, "clusters": 5, "shown_pictures": 26}
    assert summary["rejects"] == [{"name": "no_face", "count": 1, "before": 1}]
    assert summary["reconciliation"] == {"listing": 26, "decided": 26, "missing": 0, "extra": 0}
    assert sum(row["count"] for row in summary["cluster_sizes"]) == 5
    assert summary["folder_sizes"] == [{"low": 4, "high": 7, "count": 3}, {"low": 8, "high": 15, "count": 1}]


def test_the_ledger_is_shown(full: Folder) -> None:
    summary = full.data("summary")
    assert summary["ignored"] == [{"name": ".txt (no image)", "count": 2}]
    assert summary["warnings"][0] == {"code": "link", "values": {}, "text": "link: few faces"}
    assert {row["scope"]: (row["recall"], row["false_matches"]) for row in summary["link"]} == {
        "identity": (0.98, None),
        "global": (0.98, 0.1),
    }
    assert {row["name"]: row["tasks"] for row in summary["steps"]}["link"] == 9
    assert (summary["started"], summary["before"]) == ("2026-11-29T18:00:00Z", "first")


def test_a_record_of_an_older_version_says_less() -> None:
    assert of_record(RunRecord()) == {"warnings": [], "ignored": [], "link": [], "steps": []}
    assert compared({"a": 1}, None) == [{"name": "a", "count": 1, "before": None}]

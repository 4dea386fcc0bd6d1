"""Thresholds: a miss is told, and so is what was not measured."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import results


def test_a_ratio_beyond_its_limit_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    results.note("dense", slow=1.5, quick=0.5)
    results.note("dense", quick=0.25)
    assert json.loads((tmp_path / "dense.json").read_text())["measured"] == {"slow": 1.5, "quick": 0.25}
    targets = {
        "dense": {"slow": {"at_most": 1.0}, "quick": {"at_most": 0.3, "at_least": 0.1}, "absent": {"at_most": 1.0}},
        "none": {"ratio": {"at_least": 1.0}},
    }
    capsys.readouterr()
    assert results.misses(targets, tmp_path) == ["dense.slow: 1.5, target {'at_most': 1.0}"]
    printed = capsys.readouterr().out
    assert "dense.absent: not measured" in printed
    assert "none.ratio: not measured" in printed


def test_what_is_noted_names_machine_and_commit() -> None:
    assert set(results.machine()) == {"cores", "gib", "cpu", "python"}
    assert len(results.commit()) >= 7

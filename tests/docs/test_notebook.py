"""The notebook of the documentation, run cell by cell on a made-up report without pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pages import DOCS
from report_sample import QUEUE, write

from facesieve.decide.override_file import read_overrides

NOTEBOOK = DOCS / "examples" / "look.ipynb"


def test_every_cell_runs_and_what_it_saves_is_what_the_job_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "report", names=True)
    monkeypatch.setenv("REPORT", str(tmp_path / "report"))
    names: dict[str, Any] = {}
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    for cell in (each for each in cells if each["cell_type"] == "code"):
        assert cell["outputs"] == [], "a notebook in the repository holds no output"
        exec(compile("".join(cell["source"]), cell["id"], "exec"), names)
    assert len(names["queue"]) == QUEUE
    assert "quarantine" in capsys.readouterr().out
    rows = read_overrides(str(tmp_path / "report" / "overrides.csv")).rows
    assert [row.verdict for row in rows] == ["keep"] * 3

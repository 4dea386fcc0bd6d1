"""The command: what it prints, refuses and leaves alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from report_folder import Folder
from reported import FIRST, Reported

from facesieve.cli import commands


def test_the_lake_stays_as_it_is_and_the_answer_counts(
    world: Reported, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    history = world.place.history()
    gone = f"--set=images.root={tmp_path}/gone"
    assert commands.run("report", world.arguments(tmp_path / "r", "--run", FIRST, "--json", "--pictures", gone)) == 0
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert world.place.history() == history
    assert (answer["run"], answer["before"], answer["images"], answer["pictures"]) == (FIRST, None, 25, 0)
    assert answer["warnings"] == ["report: the source cannot be read, so the page has no pictures (images.root)"]
    summary = Folder(tmp_path / "r").data("summary")
    assert (summary["changes"], summary["pictures"], summary["merge"]) == (None, False, True)
    assert summary["warnings"][-1]["text"] == answer["warnings"][0]
    assert (tmp_path / "r" / "index.html").is_file()


@pytest.mark.parametrize("option", ["--blur", "--fiftyone"])
def test_what_asks_for_pictures_says_so(
    option: str, world: Reported, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert commands.run("report", world.arguments(tmp_path / "r", option)) == 2
    assert f"{option}: asks for pictures. Add --pictures." in capsys.readouterr().err


def test_a_run_that_is_not_there_and_a_folder_of_others_end_with_2(
    world: Reported, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert commands.run("report", world.arguments(tmp_path / "r", "--run", "nobody")) == 2
    (tmp_path / "mine").write_text("")
    assert commands.run("report", world.arguments(tmp_path)) == 2
    told = capsys.readouterr().err
    assert "no finished run of this lake is named nobody" in told
    assert "holds something that is no report" in told

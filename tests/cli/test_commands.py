"""The table of commands is what the job files and the program offer."""

from __future__ import annotations

from pathlib import Path

import pytest

from facesieve.cli.commands import COMMANDS, run
from facesieve.cli.exposition import value_in
from facesieve.cli.metrics import LAST_SUCCESS
from facesieve.cli.metrics_file import MetricsFile
from facesieve.cli.problems import Exit

ROOT = Path(__file__).resolve().parents[2]
ABSENT = "embed.model=absent"


def test_there_is_a_job_file_for_every_command_and_it_runs_that_command() -> None:
    jobs = {file.stem: file.read_text(encoding="utf-8") for file in (ROOT / "jobs").glob("*.py")}
    assert set(jobs) == set(COMMANDS)
    assert [name for name, text in jobs.items() if f'sys.exit(run("{name}"))' not in text] == []
    assert [name for name, text in jobs.items() if len(text.splitlines()) > 16] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_its_help_and_the_same_logging(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(name, ["--help"])
    assert ended.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    assert f"usage: facesieve {name}" in text
    assert COMMANDS[name].about in text
    assert "--log-format {text,json}" in text


@pytest.mark.parametrize("name", ["sieve", "embed", "publish"])
def test_faults_of_configuration_model_and_run_are_told_together(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = ["--set", ABSENT, "--set", "link.scope=heap", "--run", "../up"]
    assert run(name, wrong) == 2
    keys = {line.split(": ")[1] for line in capsys.readouterr().err.splitlines()}
    assert keys == {"images.root", "link.scope", "embed.model", "--run"}


@pytest.mark.parametrize(
    ("name", "arguments", "keys"),
    [
        ("undo", ["--undo", "r1"], {"lake.root", "lake.scratch"}),
        ("evaluate", [], {"lake.root", "lake.scratch"}),
        ("report", ["--out", "x"], {"lake.root", "lake.scratch"}),
        ("calibrate", ["--out", "x.toml", "--svg", "x.svg"], {"lake.root", "lake.scratch", "embed.model"}),
    ],
)
def test_side_jobs_need_what_they_read_and_no_more(
    name: str, arguments: list[str], keys: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(name, ["--set", ABSENT, *arguments]) == 2
    assert {line.split(": ")[1] for line in capsys.readouterr().err.splitlines()} == keys


@pytest.mark.parametrize("section", ["strangers", "same_person", "identity.stranger_line"])
def test_an_old_profile_ends_with_2_and_the_new_name(
    section: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    facenet = (ROOT / "conf" / "models" / "facenet.toml").read_text(encoding="utf-8")
    new = {"strangers": "impostor", "same_person": "genuine", "identity.stranger_line": "impostor_line"}[section]
    (tmp_path / "old.toml").write_text(
        facenet.replace(f"{new} =", "stranger_line =").replace(f"[{new}]", f"[{section}]")
    )
    assert run("sieve", ["--set", f"embed.model={tmp_path}/old.toml"]) == 2
    assert f"old.toml: {section}: was renamed to" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["sieve", "maintain"])
def test_arguments_that_are_refused_are_told_by_the_metrics_too(name: str, tmp_path: Path) -> None:
    """Else the file of the run before would go on to say that all is well."""
    place = tmp_path / "a.prom"
    MetricsFile(str(place), name).write(Exit.DONE)
    with pytest.raises(SystemExit) as ended:
        run(name, ["--metrics", str(place), "--nonsense"])
    assert ended.value.code == 2
    labels = {"command": name}
    assert value_in(place.read_text(), "facesieve_exit_code", labels) == 2
    assert (value_in(place.read_text(), LAST_SUCCESS, labels) or 0) > 0
    before = place.read_text()
    with pytest.raises(SystemExit):
        run(name, ["--metrics", str(place), "--help"])
    assert place.read_text() == before

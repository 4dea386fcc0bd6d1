"""What the program `facesieve` makes of its arguments and its surroundings; `tests/setup/test_build.py` runs it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

import pytest

from facesieve.cli import program
from facesieve.cli.commands import COMMANDS


class Replaced(Exception):
    """This process would have become another."""


@pytest.fixture
def executed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, list[str], dict[str, str]]]:
    """What the process would become: program, arguments, environment."""
    calls: list[tuple[Path, list[str], dict[str, str]]] = []

    def execve(path: Path, arguments: list[str], environment: dict[str, str]) -> NoReturn:
        calls.append((path, arguments, environment))
        raise Replaced

    monkeypatch.setattr(os, "execve", execve)
    monkeypatch.delenv("PYSPARK_GATEWAY_PORT", raising=False)
    return calls


def spark_home(folder: Path, *, settings: bool) -> Path:
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "spark-submit").touch()
    if settings:
        (folder / "conf").mkdir()
        (folder / "conf" / "spark-defaults.conf").touch()
    return folder


def test_spark_submit_is_given_its_options_the_job_and_the_jobs_arguments(
    executed: list[tuple[Path, list[str], dict[str, str]]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    home = spark_home(tmp_path, settings=False)
    monkeypatch.setenv("SPARK_HOME", str(home))
    with pytest.raises(Replaced):
        program.main(["--master", "local[2]", "--verbose", "--conf=a=b", "link", "--run", "r1"])
    ((path, arguments, _),) = executed
    assert path == home / "bin" / "spark-submit"
    assert arguments[:5] == [str(path), "--master", "local[2]", "--verbose", "--conf=a=b"]
    assert Path(arguments[5]).parts[-2:] == ("jobs", "link.py")
    assert Path(arguments[5]).is_file()
    assert arguments[6:] == ["--run", "r1"]


def test_spark_is_that_of_spark_home_or_of_the_package_pyspark(tmp_path: Path) -> None:
    installed = program.spark_submit({})
    assert installed is not None
    assert installed.parts[-3:] == ("pyspark", "bin", "spark-submit")
    assert program.spark_submit({"SPARK_HOME": str(tmp_path)}) is None
    home = spark_home(tmp_path, settings=False)
    assert program.spark_submit({"SPARK_HOME": str(home)}) == home / "bin" / "spark-submit"


def test_settings_are_the_users_then_sparks_own_then_the_packages(tmp_path: Path) -> None:
    ours = program.environment({})
    assert ours["PYSPARK_PYTHON"] == sys.executable
    assert (Path(ours["SPARK_CONF_DIR"]) / "spark-defaults.conf").is_file()
    assert program.environment({"SPARK_CONF_DIR": "mine", "PYSPARK_PYTHON": "py"})["SPARK_CONF_DIR"] == "mine"
    home = {"SPARK_HOME": str(spark_home(tmp_path / "with", settings=True))}
    assert "SPARK_CONF_DIR" not in program.environment(home)
    bare = {"SPARK_HOME": str(spark_home(tmp_path / "without", settings=False))}
    assert program.environment(bare)["SPARK_CONF_DIR"] == ours["SPARK_CONF_DIR"]


def test_without_spark_the_way_to_it_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("PYSPARK_GATEWAY_PORT", raising=False)
    monkeypatch.setenv("SPARK_HOME", "/absent")
    assert program.main(["sieve"]) == 2
    assert "Install pyspark==" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["seive"], ["--master", "local"], ["--conf", "sieve"]])
def test_what_is_no_command_is_answered_with_those_there_are(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert program.main(arguments) == 2
    assert ", ".join(COMMANDS) in capsys.readouterr().err


def test_help_and_no_argument_list_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert program.main([]) == 2
    assert capsys.readouterr().out == shown
    assert shown.count("\n  ") == len(COMMANDS)


def test_under_spark_submit_the_command_runs_here(
    monkeypatch: pytest.MonkeyPatch, executed: list[tuple[Path, list[str], dict[str, str]]]
) -> None:
    def run(name: str, argv: list[str]) -> int:
        return 7 if (name, argv) == ("sieve", ["--full"]) else 8

    monkeypatch.setenv("PYSPARK_GATEWAY_PORT", "1")
    monkeypatch.setattr("facesieve.cli.commands.run", run)
    assert program.main(["sieve", "--full"]) == 7
    assert executed == []

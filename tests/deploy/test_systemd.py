"""The unit and its timer: what they run, and after which exit codes; systemd's own check, where systemd is."""

from __future__ import annotations

import configparser
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from submitting import MEMORY, Parse, submit_options

from facesieve.cli.problems import Exit

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "conf" / "deploy"
PROJECT = "/opt/facesieve"


def unit(name: str) -> dict[str, dict[str, str]]:
    """Sections of a unit file; repeated keys are joined by a blank."""
    joined = re.sub(r"\\\n\s*", " ", (DEPLOY / name).read_text(encoding="utf-8"))
    reader = configparser.RawConfigParser(strict=False, interpolation=None, comment_prefixes=("#",))
    reader.optionxform = str  # type: ignore[assignment,method-assign]
    reader.read_string(joined)
    sections = {section: dict(reader[section]) for section in reader.sections()}
    for key in ("Environment",):
        if "Service" in sections:
            sections["Service"][key] = " ".join(re.findall(rf"^{key}=(.*)$", joined, re.MULTILINE))
    return sections


SERVICE = unit("facesieve.service")["Service"]
WORDS = shlex.split(SERVICE["ExecStart"])
JOB = WORDS.index("jobs/sieve.py")


def test_the_job_takes_its_arguments(parse: Parse) -> None:
    arguments = parse(WORDS[JOB], WORDS[JOB + 1 :])
    assert (arguments.json, arguments.log_format) == (True, "json")
    assert (ROOT / arguments.config).is_file()
    # systemd makes the folder of the state.
    assert arguments.metrics.startswith(f"/var/lib/{SERVICE['StateDirectory']}/")


def test_spark_takes_the_other_arguments() -> None:
    options = {word for word in WORDS[1:JOB] if word.startswith("--")}
    assert options - submit_options() == set()
    assert {"--properties-file", "--archives", "--py-files", "--master"} <= options


def test_the_nodes_have_the_memory_of_the_other_manifests() -> None:
    """Beside the JVM YARN leaves 384 MB by itself: no Python worker with TensorFlow lives there."""
    settings = {word.partition("=")[0]: word.partition("=")[2] for word in WORDS if word.startswith("spark.")}
    assert {name: settings.get(name) for name in MEMORY} == MEMORY


def test_what_it_names_is_in_the_project() -> None:
    assert SERVICE["WorkingDirectory"] == PROJECT
    properties = WORDS[WORDS.index("--properties-file") + 1]
    assert (ROOT / properties).is_file()
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    archive, name = WORDS[WORDS.index("--archives") + 1].split("#")
    assert archive in makefile
    assert WORDS[WORDS.index("--py-files") + 1] == "dist/facesieve.zip"
    assert f"PYSPARK_PYTHON=./{name}/bin/python" in SERVICE["Environment"].split(" ")


def test_the_driver_is_reached_from_other_hosts() -> None:
    """The environment of one machine binds Spark to 127.0.0.1; no executor would find its driver."""
    assert "environment.sh" not in SERVICE["ExecStart"]
    assert "SPARK_LOCAL_IP" not in SERVICE["Environment"]


def test_a_refused_run_is_not_started_again() -> None:
    codes = {int(code) for code in SERVICE["RestartPreventExitStatus"].split(" ")}
    assert {Exit.WRONG, Exit.REFUSED, Exit.INTERRUPTED} <= codes
    assert Exit.FAILED not in codes
    assert SERVICE["Restart"] == "on-failure"
    assert "SuccessExitStatus" not in SERVICE
    assert unit("facesieve.service")["Unit"]["StartLimitBurst"] == "3"


def test_a_night_without_power_is_made_up_for() -> None:
    timer = unit("facesieve.timer")["Timer"]
    assert timer["Persistent"] == "true"
    assert re.fullmatch(r"\*-\*-\* \d\d:\d\d:\d\d [A-Z]\w+/\w+", timer["OnCalendar"])


def test_the_tables_are_looked_after_with_the_same_command_and_another_job(parse: Parse) -> None:
    service = unit("facesieve-maintain.service")["Service"]
    words = shlex.split(service["ExecStart"])
    assert words[:JOB] == WORDS[:JOB], "what a place changes in one unit, it changes in the other"
    assert words[JOB] == "jobs/maintain.py"
    arguments = parse(words[JOB], words[JOB + 1 :])
    assert (arguments.apply, arguments.overlay) == (True, parse(WORDS[JOB], WORDS[JOB + 1 :]).overlay)
    assert arguments.metrics.startswith(f"/var/lib/{SERVICE['StateDirectory']}/")
    assert arguments.metrics != parse(WORDS[JOB], WORDS[JOB + 1 :]).metrics, "each job has a file of its own"
    for key in ("User", "WorkingDirectory", "StateDirectory", "Environment"):
        assert service[key] == SERVICE[key]
    timer = unit("facesieve-maintain.timer")["Timer"]
    assert re.fullmatch(r"Sun \*-\*-\* \d\d:\d\d:\d\d [A-Z]\w+/\w+", timer["OnCalendar"])


@pytest.fixture
def installed(tmp_path: Path) -> list[Path]:
    """The units with the paths of this checkout: systemd looks whether the program is there."""
    files = []
    for name in sorted(file.name for file in DEPLOY.glob("facesieve*.*") if file.suffix in (".service", ".timer")):
        text = (DEPLOY / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(text.replace(PROJECT, str(ROOT)), encoding="utf-8")
        files.append(tmp_path / name)
    return files


def verified(files: list[Path]) -> str:
    """What systemd says against units; nothing on a host without systemd."""
    program = shutil.which("systemd-analyze")
    if program is None:
        return ""
    done = subprocess.run([program, "verify", *map(str, files)], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_systemd_takes_the_units(installed: list[Path]) -> None:
    assert verified(installed) == ""
    if shutil.which("systemd-analyze"):
        service = next(file for file in installed if file.name == "facesieve.service")
        text = service.read_text(encoding="utf-8").replace("RestartSec=15min", "RestartSeconds=15min")
        service.write_text(text, encoding="utf-8")
        assert "RestartSeconds" in verified(installed)

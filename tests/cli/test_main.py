"""The command as a schedule calls it: spark-submit, exit code, and which stream says what."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from facesieve.cli import commands

pytestmark = pytest.mark.spark

ROOT = Path(__file__).resolve().parents[2]


def _submit(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "spark-submit"), "--master", "local[2]", "jobs/sieve.py", *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "lib"), "SPARK_LOCAL_IP": "127.0.0.1"}
    environment.pop("PYSPARK_GATEWAY_PORT", None)
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False)


def test_faults_go_to_standard_error_with_exit_code_2(tmp_path: Path) -> None:
    done = _submit("--config", "conf/pipeline.toml", "--set", f"lake.root={tmp_path}", "--set", "lnk.x=1")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("error: ") == 2
    assert "lnk" in done.stderr
    assert "images.root" in done.stderr
    assert all(line.startswith("error: ") for line in done.stderr.splitlines())


def test_a_configuration_that_is_not_there_says_nothing_of_its_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.run("sieve", ["--config", "absent/pipeline.toml"]) == 2
    message = capsys.readouterr().err
    assert "absent/pipeline.toml" in message
    assert "embed.model" not in message


def test_a_lake_root_that_cannot_be_written(tmp_path: Path, facenet_weights: Path) -> None:
    (tmp_path / "file").write_text("")
    places = ("--set", f"images.root={tmp_path}", "--set", f"lake.root={tmp_path}/file/lake")
    done = _submit("--config", "conf/pipeline.toml", *places)
    assert (done.returncode, done.stdout) == (2, "")
    assert "lake.root" in done.stderr


def test_the_record_alone_is_on_standard_output_and_json_lines_on_standard_error(
    tmp_path: Path, photographs: Path, facenet_weights: Path
) -> None:
    photographs = photographs / "val"
    places = ("--set", f"images.root={photographs / 'madonna'}", "--set", f"lake.root={tmp_path}/lake")
    wide = ("--set", "images.identity=none", "--set", "link.scope=global", "--set", "link.threshold_global=0.5")
    done = _submit("--config", "conf/pipeline.toml", "--json", "--log-format", "json", *places, *wide, "--run", "r1")
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    assert record["status"] == "done"
    assert record["stages"]["decide"]["given"] == len(list((photographs / "madonna").glob("*.jpg")))
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert {tuple(line) for line in lines} == {("ts", "level", "logger", "msg", "run", "step")}
    assert {line["run"] for line in lines} == {"r1"}
    assert {line["step"] for line in lines} >= {"embed", "link", "cluster", "decide"}
    assert any("superstep 1" in line["msg"] for line in lines if line["step"] == "cluster")
    assert "madonna" not in done.stderr
    assert not (tmp_path / "lake" / "_scratch").exists() or not any((tmp_path / "lake" / "_scratch").iterdir())

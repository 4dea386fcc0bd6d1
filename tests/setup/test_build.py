"""The wheel: it holds all that an installed user needs, and gives the command `facesieve`."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import build
import pyspark
import pytest

from facesieve import __version__
from facesieve.cli.commands import COMMANDS

ROOT = Path(__file__).resolve().parents[2]


def test_a_file_missing_in_the_wheel_is_named(tmp_path: Path) -> None:
    package = tmp_path / "lib" / "facesieve" / "kernels"
    package.mkdir(parents=True)
    (tmp_path / "jobs").mkdir()
    assets = tmp_path / "lib" / "facesieve" / "page" / "assets"
    assets.mkdir(parents=True)
    for file in (assets / "page.js", package / "voronoi.py", package / "pixels.py", tmp_path / "jobs" / "link.py"):
        file.touch()
    wheel = tmp_path / "some.whl"
    with zipfile.ZipFile(wheel, "w") as opened:
        opened.writestr("facesieve/kernels/pixels.py", b"")
    lacking = build.missing(wheel, build.contents(tmp_path))
    assert lacking == [
        "facesieve/jobs/link.py",
        "facesieve/kernels/voronoi.py",
        "facesieve/page/assets/page.js",
        "facesieve/py.typed",
    ]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command of the installed wheel, in an environment with the packages of this one but without this checkout."""
    folder = tmp_path_factory.mktemp("installed")
    wheel = build.build_wheel(ROOT, folder)
    venv.create(folder / "venv", with_pip=False)
    packages = folder / "venv" / "lib" / "python3.11" / "site-packages"
    (packages / "peers.pth").write_text(f"{Path(pyspark.__file__).parents[1]}\n")
    python = folder / "venv" / "bin" / "python"
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    return folder / "venv" / "bin" / "facesieve"


def _run(program: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a user has it: without the project's environment, in a folder that is not the checkout."""
    ours = ("PYTHONPATH", "PYSPARK_PYTHON", "PYSPARK_DRIVER_PYTHON", "SPARK_CONF_DIR", "SPARK_HOME")
    theirs = {name: value for name, value in os.environ.items() if name not in (*ours, "PYSPARK_GATEWAY_PORT")}
    command = [str(program), *arguments]
    return subprocess.run(command, cwd=program.parent, env=theirs, capture_output=True, text=True, check=False)


def test_the_command_tells_its_version_and_its_commands(program: Path) -> None:
    assert _run(program, "--version").stdout == f"facesieve {__version__}\n"
    shown = _run(program, "--help")
    assert shown.returncode == 0
    assert [name for name, command in COMMANDS.items() if f"  {name:<10} {command.about}\n" not in shown.stdout] == []


def test_describe_needs_no_spark(program: Path) -> None:
    assert "usage: facesieve describe" in _run(program, "describe", "--help").stdout
    done = _run(program, "describe", "absent.h5")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "error: absent.h5 does not exist\n")


@pytest.mark.spark
def test_a_step_finds_the_configuration_and_the_models_of_the_package(program: Path) -> None:
    done = _run(program, "--conf", "spark.ui.enabled=false", "sieve", "--set", "lnk.x=1", "--set", "embed.model=absent")
    assert (done.returncode, done.stdout) == (2, "")
    keys = {line.split(": ")[1] for line in done.stderr.splitlines()}
    assert keys == {"lnk", "images.root", "embed.model"}
    assert f"{program.parents[1]}" in done.stderr
    assert "(facenet, mobilefacenet)" in done.stderr


@pytest.mark.spark
def test_spark_starts_with_the_settings_of_the_package(program: Path, tmp_path: Path) -> None:
    done = _run(program, "--master", "local[1]", "evaluate", "--set", f"lake.root={tmp_path}/lake")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: lake.root: no run has finished in this lake.")

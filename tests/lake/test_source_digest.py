"""Changed code changes the keys of its step and of later ones; words about it do not."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import facesieve
from facesieve.core.errors import ContractError
from facesieve.lake.run import STEP_OF
from facesieve.lake.source_digest import ROOMS, code, code_digest, room_digests

PACKAGE = Path(facesieve.__file__).parent


SMALL = '"""A module."""\n\nLINE = 0.5  # of impostors\n"""What it means."""\n\n\ndef kernel():\n    """Do."""\n'


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A small package with the rooms of ours."""
    for room in (*ROOMS, "cli", "link/kernels"):
        (tmp_path / room).mkdir()
        (tmp_path / room / "module.py").write_text(SMALL)
    return tmp_path


def changed(package: Path, module: str, text: str) -> set[str]:
    """Replace a module; return the rooms whose digest is another then."""
    before = room_digests(package)
    (package / module).write_text(text)
    after = room_digests(package)
    return {room for room in ROOMS if before[room] != after[room]}


def test_a_changed_kernel_counts_for_its_step_and_later_ones(tmp_path: Path) -> None:
    package = Path(shutil.copytree(PACKAGE, tmp_path / "facesieve", ignore=shutil.ignore_patterns("__pycache__")))
    kernel = "link/kernels/thresholds.py"
    text = (package / kernel).read_text()
    assert "(1.0, 0.0)" in text
    assert changed(package, kernel, text.replace("(1.0, 0.0)", "(0.5, 0.0)")) == {
        "link",
        "cluster",
        "decide",
        "publish",
    }


def test_a_shared_module_counts_for_every_step_above_it(package: Path) -> None:
    assert changed(package, "faces/module.py", SMALL + "NEW = 1") == set(ROOMS[ROOMS.index("faces") :])


def test_a_module_that_is_new_or_renamed_counts(package: Path) -> None:
    later = {"link", "cluster", "decide", "publish"}
    assert changed(package, "link/kernels/new.py", "") == later
    before = room_digests(package)
    (package / "link/kernels/new.py").rename(package / "link/kernels/renamed.py")
    assert {room for room, digest in room_digests(package).items() if digest != before[room]} == later


def test_docstrings_comments_and_layout_do_not_count(package: Path) -> None:
    other = SMALL.replace('"""', '"""Other words: ').replace(" = 0.5  # of impostors", " = (0.5)")
    other = other.replace('"""Other words: \n', '"""\n')
    assert other.count("Other words") == 3
    assert not changed(package, "link/kernels/module.py", other)


@pytest.mark.parametrize(("text", "other"), [("f('a')", "f('b')"), ("x = 'a'", "x = 'b'"), ("return_ = 1", "")])
def test_texts_that_a_program_reads_count(text: str, other: str) -> None:
    assert code(text) != code(other)


def test_what_is_above_the_steps_does_not_count(package: Path) -> None:
    assert not changed(package, "cli/module.py", SMALL + "NEW = 1")
    assert not changed(package, "__init__.py", "__version__ = '9.9'")


def test_rooms_are_in_the_order_of_their_imports() -> None:
    project = tomllib.loads((PACKAGE.parents[1] / "pyproject.toml").read_text())
    layers = project["tool"]["importlinter"]["contracts"][0]["layers"]
    level = {room: -number for number, rooms in enumerate(layers) for room in re.findall(r"\w+", rooms)}
    assert sorted(ROOMS, key=level.__getitem__) == list(ROOMS)
    assert set(level) - set(ROOMS) == {"cli", "erasure", "assess"}, "what no step imports"


def test_every_step_has_a_room() -> None:
    assert set(STEP_OF.values()) < set(ROOMS)
    steps = ("listing", "link", "cluster", "decide", "publish")
    assert len({code_digest(step) for step in steps}) == len(steps)
    assert code_digest("listing") == code_digest("embed")
    assert code_digest("a step that is not ours") == code_digest("publish")


def test_the_package_in_a_zip_has_the_same_digest(tmp_path: Path) -> None:
    archive = tmp_path / "facesieve.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for module in PACKAGE.rglob("*.py"):
            file.write(module, module.relative_to(PACKAGE.parent))
    script = "import facesieve, facesieve.lake.source_digest as d; print(facesieve.__file__, d.code_digest('publish'))"
    environment = os.environ | {"PYTHONPATH": str(archive)}
    ended = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    place, digest = ended.stdout.split()
    assert place.startswith(str(archive))
    assert digest == code_digest("publish")


def test_a_package_without_sources_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"facesieve\.core"):
        room_digests(tmp_path)

"""The image, read as text: what it copies is there or is made by a target of the Makefile, and versions agree."""

from __future__ import annotations

import fnmatch
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "conf" / "deploy" / "Dockerfile").read_text(encoding="utf-8")
LINES = re.sub(r"\\\n\s*", " ", TEXT).splitlines()
JARS = (".cache/jars/graphframes-*.jar", ".cache/jars/iceberg-*.jar")
MADE = {"dist/facesieve-env.tar.gz": "pack", **dict.fromkeys(JARS, "setup")}
"""What is copied and is not in the repository -> the target that makes it."""


def copied() -> list[str]:
    words = [line.split() for line in LINES if line.startswith(("COPY ", "ADD "))]
    return [source for line in words if not line[1].startswith("--from=") for source in line[1:-1]]


def test_what_is_copied_is_there_or_made_by_a_target() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert [source for source in copied() if source not in MADE and not (ROOT / source).exists()] == []
    assert [target for target in MADE.values() if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []
    assert set(MADE) <= set(copied())


def test_set_up_puts_both_jars_where_they_are_copied_from() -> None:
    assert [pattern for pattern in JARS if len(list(ROOT.glob(pattern))) != 1] == []


def test_the_context_holds_what_is_copied_and_no_more() -> None:
    ignore = (ROOT / "conf" / "deploy" / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in ignore if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert {rule.removeprefix("!") for rule in rules if rule.startswith("!")} == set(copied())
    assert not any(fnmatch.fnmatch(".venv", rule.removeprefix("!")) for rule in rules if rule.startswith("!"))


def test_versions_are_those_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    spark = next(line.partition("==")[2] for line in project["dependencies"] if line.startswith("pyspark=="))
    assert f"ARG SPARK_VERSION={spark}" in LINES
    python = re.search(r">=(3\.\d+)", project["requires-python"])
    assert python is not None
    assert any(line.startswith(f"FROM python:{python[1]}-") for line in LINES)
    assert f"python{python[1]}" in TEXT


def test_no_run_begins_as_root() -> None:
    assert [line for line in LINES if line.startswith("USER ")][-1] == "USER 185"

"""Every example in a docstring of the package runs, each as a test of its own."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

import facesieve

PACKAGE = Path(facesieve.__file__).resolve().parent
SOURCES = {file: file.read_text(encoding="utf-8") for file in sorted(PACKAGE.rglob("*.py"))}


def cases() -> list[doctest.DocTest]:
    """The examples of all modules that have some; the others are not imported."""
    files = [file for file, source in SOURCES.items() if ">>> " in source]
    names = [".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts) for file in files]
    finder = doctest.DocTestFinder(exclude_empty=True)
    everything = [case for name in names for case in finder.find(importlib.import_module(name))]
    return [case for case in everything if case.examples]


CASES = cases()


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_the_example_gives_what_it_says(case: doctest.DocTest) -> None:
    printed: list[str] = []
    assert doctest.DocTestRunner().run(case, out=printed.append).failed == 0, "".join(printed)


def test_no_example_is_left_out() -> None:
    written = sum(line.strip().startswith(">>> ") for source in SOURCES.values() for line in source.splitlines())
    assert sum(len(case.examples) for case in CASES) == written

"""The style card and the layout rules, read off the source itself."""

from __future__ import annotations

import ast
import dataclasses
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from facesieve.core.config import Config

ROOT = Path(__file__).resolve().parents[1]
FUNCTION_LINES, MODULE_LINES, PARAMETERS = 40, 260, 6
NATIVE = {"tensorflow", "keras", "tf_keras", "mtcnn", "h5py"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def modules() -> list[Path]:
    folders = (ROOT / "lib" / "facesieve", ROOT / "jobs", ROOT / "conf" / "setup")
    return sorted(file for folder in folders for file in folder.rglob("*.py"))


SOURCES = {file.relative_to(ROOT).as_posix(): file.read_text(encoding="utf-8") for file in modules()}
TREES = {name: ast.parse(source) for name, source in SOURCES.items()}


def functions() -> Iterator[tuple[str, Function]]:
    for name, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, Function):
                yield f"{name}:{node.lineno} {node.name}", node


def lines_of(function: Function) -> int:
    first = min([function.lineno, *(decorator.lineno for decorator in function.decorator_list)])
    return (function.end_lineno or first) - first + 1


def parameters_of(function: Function) -> int:
    given = function.args
    names = [one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    extra = [one for one in (given.vararg, given.kwarg) if one]
    return len([name for name in names if name not in ("self", "cls")]) + len(extra)


def imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Module and name (empty for a plain import) of every import, wherever it stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.module or "", alias.name) for alias in node.names)


def test_functions_are_short() -> None:
    assert [(where, lines_of(node)) for where, node in functions() if lines_of(node) > FUNCTION_LINES] == []


def test_functions_take_few_parameters() -> None:
    assert [(where, parameters_of(node)) for where, node in functions() if parameters_of(node) > PARAMETERS] == []


def test_modules_are_short_and_say_what_they_are() -> None:
    lengths = {name: len(source.splitlines()) for name, source in SOURCES.items()}
    assert {name: length for name, length in lengths.items() if length > MODULE_LINES} == {}
    assert [name for name, tree in TREES.items() if not ast.get_docstring(tree)] == []


def test_assert_stands_in_tests_alone() -> None:
    assert [name for name, tree in TREES.items() if any(isinstance(node, ast.Assert) for node in ast.walk(tree))] == []


def test_no_module_imports_a_private_name_of_another() -> None:
    private = re.compile(r"_(?!_)")
    offenders = [
        (name, module, one)
        for name, tree in TREES.items()
        for module, one in imported(tree)
        if any(private.match(part) for part in (*module.split("."), one))
    ]
    assert [found for found in offenders if found[1] != "__future__"] == []


def test_tensorflow_and_detectors_live_in_models_alone() -> None:
    outside = {name: tree for name, tree in TREES.items() if not name.startswith("lib/facesieve/models/")}
    users = [name for name, tree in outside.items() if {module.split(".")[0] for module, _ in imported(tree)} & NATIVE]
    assert users == []


def test_jobs_shadow_nothing_and_define_nothing() -> None:
    """`jobs/` is sys.path[0] of a job, and what is defined there is pickled by value."""
    jobs = {name: tree for name, tree in TREES.items() if name.startswith("jobs/")}
    taken = {*sys.stdlib_module_names, "facesieve", "pyspark", "tensorflow", "numpy", "graphframes"}
    assert [name for name in jobs if Path(name).stem in taken] == []
    defined = (Function, ast.ClassDef, ast.Lambda)
    assert [name for name, tree in jobs.items() if any(isinstance(node, defined) for node in ast.walk(tree))] == []


def test_git_keeps_lib() -> None:
    ignored = {line.strip().strip("/") for line in (ROOT / ".gitignore").read_text().splitlines()}
    assert "lib" not in ignored
    assert "lib*" not in ignored


def test_no_path_of_one_machine() -> None:
    here = re.compile(r"(?<![\w.}-])/(?:root|home|Users|work|mnt)/\w+")
    folders = ("lib", "jobs", "conf", "tests", ".ci")
    files = [file for folder in folders for file in (ROOT / folder).rglob("*") if file.is_file()]
    files += [file for file in ROOT.glob("*") if file.is_file() and file.name != ".git"]
    texts = {file: file.read_text(encoding="utf-8") for file in files if file.suffix not in (".pyc", ".png", ".jpg")}
    assert [(file.name, found.group()) for file, text in texts.items() for found in here.finditer(text)] == []


def test_lock_files_pin_by_digest_and_name_no_index() -> None:
    for lock in (ROOT / "conf" / "setup").glob("*.lock"):
        text = lock.read_text(encoding="utf-8")
        pinned = re.findall(r"^\S+==", text, re.MULTILINE)
        assert len(pinned) == len(re.findall(r"^\S+==.*(?:\n +--hash=sha256:[0-9a-f]{64}.*)+", text, re.MULTILINE))
        assert "://" not in text


def leaves(section: Any, prefix: str = "") -> dict[str, Any]:
    """Dotted key -> value, of nested tables or nested dataclasses."""
    if dataclasses.is_dataclass(section):
        section = {field.name: getattr(section, field.name) for field in dataclasses.fields(section)}
    if not isinstance(section, dict):
        return {prefix: tuple(section) if isinstance(section, list) else section}
    parts = [leaves(value, f"{prefix}.{name}" if prefix else name) for name, value in section.items()]
    return {key: value for part in parts for key, value in part.items()}


def test_every_parameter_stands_in_the_reference_configuration() -> None:
    reference = (ROOT / "conf" / "pipeline.toml").read_text(encoding="utf-8")
    written, declared = leaves(tomllib.loads(reference)), leaves(Config())
    assert sorted(set(written) ^ set(declared)) == []
    assert {key: value for key, value in written.items() if repr(value) != repr(declared[key])} == {}

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
FUNCTION_LINES, MODULE_LINES, PARAMETERS, MODULES, BARE_FRAMES = 36, 257, 6, 28, 30
NATIVE = {"tensorflow", "keras", "tf_keras", "mtcnn", "h5py"}

EMPTY_NAMES = {"found", "said", "told", "given", "known", "made", "one", "kept", "held"}
"""Names that stand for nothing: a reader who searches for what they hold does not find it."""

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
    declared = function.args
    names = [each.arg for each in (*declared.posonlyargs, *declared.args, *declared.kwonlyargs)]
    extra = [each for each in (declared.vararg, declared.kwarg) if each]
    return len([name for name in names if name not in ("self", "cls")]) + len(extra)


def names_of(tree: ast.Module) -> Iterator[str]:
    """Every name that a module gives: of variables, parameters, attributes, fields, functions and classes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.id if isinstance(node, ast.Name) else node.attr
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, Function | ast.ClassDef):
            yield node.name


def bare_frames_of(tree: ast.Module) -> Iterator[str]:
    """Parameters of type DataFrame, of functions that other modules may call."""
    scopes: list[ast.Module | ast.ClassDef] = [tree, *(node for node in tree.body if isinstance(node, ast.ClassDef))]
    public = (node for scope in scopes for node in scope.body if isinstance(node, Function) and node.name[0] != "_")
    for node in public:
        yield from (each.arg for each in (*node.args.args, *node.args.kwonlyargs) if is_frame(each.annotation))


def is_frame(annotation: ast.expr | None) -> bool:
    return annotation is not None and re.fullmatch(r"DataFrame( \| None)?", ast.unparse(annotation)) is not None


def holds_logic(tree: ast.Module) -> bool:
    """Say whether a module does anything: it has a function, and not only the methods of a Protocol."""
    protocols = [
        node for node in tree.body if isinstance(node, ast.ClassDef) and "Protocol" in map(ast.unparse, node.bases)
    ]
    promised = {each for protocol in protocols for each in ast.walk(protocol)}
    return any(isinstance(node, Function) and node not in promised for node in ast.walk(tree))


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


def test_a_folder_is_seen_at_a_glance() -> None:
    folders = [Path(name).parent for name in TREES if not name.endswith("__init__.py")]
    assert {str(folder) for folder in folders if folders.count(folder) > MODULES} == set()


def test_no_name_stands_for_nothing() -> None:
    empty = {name: {each for each in names_of(tree) if each.lstrip("_") in EMPTY_NAMES} for name, tree in TREES.items()}
    assert {name: names for name, names in empty.items() if names} == {}


def test_frames_that_cross_a_module_have_a_name_of_their_own() -> None:
    bare = {name: list(bare_frames_of(tree)) for name, tree in TREES.items()}
    assert sum(map(len, bare.values())) < BARE_FRAMES, {name: frames for name, frames in bare.items() if frames}


def test_every_module_that_holds_logic_has_tests_of_its_name() -> None:
    logic = [Path(name) for name, tree in TREES.items() if holds_logic(tree)]
    rooms = [file.relative_to("lib/facesieve") for file in logic if file.parts[0] == "lib" and len(file.parts) > 3]
    there = {file.relative_to(ROOT / "tests") for file in (ROOT / "tests").rglob("test_*.py")}
    assert [str(file) for file in rooms if file.parent / f"test_{file.name}" not in there] == []


def test_the_readme_is_one_page() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 150
    assert [line for line in lines if len(line) > 120] == []


def test_only_development_data_may_be_skipped_for() -> None:
    """What set-up fetches is there, or the test fails; jars for stores come when a Maven repository answers.

    The report's page needs Chromium (Debian's packages) and axe-core (npm), which set-up does not bring.
    """
    skips = re.compile(r"importorskip|pytest\.skip|mark\.skip")
    tests = ROOT / "tests"
    files = {file.relative_to(tests).as_posix(): file.read_text(encoding="utf-8") for file in tests.rglob("*.py")}
    assert {name: len(skips.findall(text)) for name, text in files.items() if skips.search(text)} == {
        "browser/conftest.py": 2,
        "conftest.py": 1,
        "store/conftest.py": 1,
        Path(__file__).name: 1,
    }


def test_assert_stands_in_tests_alone() -> None:
    assert [name for name, tree in TREES.items() if any(isinstance(node, ast.Assert) for node in ast.walk(tree))] == []


def test_no_module_imports_a_private_name_of_another() -> None:
    private = re.compile(r"_(?!_)")
    offenders = [
        (name, module, member)
        for name, tree in TREES.items()
        for module, member in imported(tree)
        if any(private.match(part) for part in (*module.split("."), member))
    ]
    assert [offender for offender in offenders if offender[1] != "__future__"] == []


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
    assert [(file.name, match.group()) for file, text in texts.items() for match in here.finditer(text)] == []


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

"""The reference pages are what the code says, and the pages name only what is there."""

from __future__ import annotations

import ast
import dataclasses
import re
import runpy
import tomllib
import typing
from pathlib import Path

import pytest
from pages import DOCS, PAGES, ROOT, blocks, spans

from facesieve.core import tables
from facesieve.core.config import Config
from facesieve.core.records import Record
from facesieve.erasure.proof import NOT_COVERED
from facesieve.lake import records, scope_records

REFERENCE = runpy.run_path(str(DOCS / "reference.py"))
SECTIONS = typing.get_type_hints(Config)
KEY = re.compile(rf"(?<![\w./-])({'|'.join(SECTIONS)})\.([a-z_]+)\b(?![\w./(])")
FILE = re.compile(r"[a-z_./]+/[\w.-]*\.(py|toml|in|lock|sh|conf)")
OF_OTHERS = (
    "Python worker exited unexpectedly",
    "Broken pipe",
    "unresolved dependency",
    "unrecognized arguments",
    "invalid choice",
)
"""Messages of Spark, of argparse and of the operating system."""


def test_the_pages_are_those_of_the_code() -> None:
    written = {name: (DOCS / name).read_text(encoding="utf-8") for name in REFERENCE["pages"]()}
    assert written == REFERENCE["pages"](), "run: python docs/reference.py --write"


def test_every_column_has_words() -> None:
    words = tomllib.loads((DOCS / "tables.toml").read_text(encoding="utf-8"))
    named = {table: set(entry) - {"row", "about"} for table, entry in words.items()}
    assert named == {table.name: set(table.columns.names) for table in tables.IN_LAKE}


def test_a_comment_belongs_to_its_key() -> None:
    text = '[a]\nx = "#"  # one\n     # two\ny = [1]  # three\n\n[b]\nx = 5  # four\n'
    assert REFERENCE["comments"](text) == {"a.x": "one two", "a.y": "three", "b.x": "four"}


@pytest.mark.parametrize("page", PAGES)
def test_every_key_is_one_of_the_configuration(page: str) -> None:
    keys = {(section, field.name) for section, kind in SECTIONS.items() for field in dataclasses.fields(kind)}
    suffixes = {"py", "md", "toml"}
    assert [key for key in KEY.findall(PAGES[page]) if key not in keys and key[1] not in suffixes] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_file_is_there(page: str) -> None:
    names = [span for span in spans(PAGES[page]) if FILE.fullmatch(span) and "NAME" not in span]
    rooms = [ROOT / "lib" / "facesieve", ROOT]
    assert [name for name in names if not any((room / name).exists() for room in rooms)] == []


def test_the_page_and_the_proof_of_an_erasure_leave_out_the_same() -> None:
    (listed,) = blocks(PAGES["docs/erasure.md"], "text")
    assert tuple(listed.splitlines()) == NOT_COVERED


def test_every_benchmark_has_its_line() -> None:
    scripts = {file.name for file in (ROOT / "tests" / "bench").glob("*.py") if not file.name.startswith("test_")}
    assert scripts - set(spans(PAGES["docs/dev/benchmarks.md"])) == set()


def test_every_entry_of_the_ledger_is_a_field() -> None:
    _, _, ledger = PAGES["docs/reading.md"].partition("## The ledger")
    cells = re.findall(r"^\| (`[^|]+) \|", ledger, re.MULTILINE)
    named = {span for cell in cells for span in spans(cell)}
    declared = [*vars(records).values(), *vars(scope_records).values()]
    kinds = [kind for kind in declared if isinstance(kind, type) and issubclass(kind, Record)]
    assert (
        named - {field.metadata.get("name", field.name) for kind in kinds for field in dataclasses.fields(kind)}
        == set()
    )


def test_every_finding_has_its_line_and_its_head() -> None:
    scripts = {file.name: file.read_text(encoding="utf-8") for file in (ROOT / "findings").glob("*.sh")}
    assert set(scripts) == {span for span in spans(PAGES["docs/dev/findings.md"]) if re.fullmatch(r"\w+\.sh", span)}
    parts = ("Expected", "Observed", "Versions", "Source", "For users")
    assert [(name, part) for name, text in scripts.items() for part in parts if f"\n# {part}  " not in text] == []


def test_every_message_is_in_the_source() -> None:
    source = "\n".join(_texts())
    missing = [
        part
        for message in _messages(PAGES["docs/errors.md"])
        for part in (re.sub(r"^[\w.-]+: ", "", piece.strip(" :,")) for piece in message.split("..."))
        if " " in part and part not in source and part not in OF_OTHERS
    ]
    assert missing == []


def _messages(page: str) -> list[str]:
    """Messages stand at the head of an item: `...`, `...`: what to do."""
    heads = re.findall(r"^- ((?:`[^`]+`(?:, )?)+)", page, re.MULTILINE)
    return [span for head in heads for span in re.findall(r"`([^`]+)`", head)]


def _texts() -> list[str]:
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in (ROOT / "lib").rglob("*.py")]
    constants = [node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    return [value for value in constants if isinstance(value, str)]


def test_the_picture_is_drawn_without_others_files() -> None:
    picture = Path(DOCS / "demo.svg").read_text(encoding="utf-8")
    assert picture.startswith("<svg")
    assert re.findall(r"<image|href|@import|url\(", picture) == []

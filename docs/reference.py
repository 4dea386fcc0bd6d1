"""Writes the reference pages from the code: configuration, tables, rules. Needs neither a JVM nor mkdocs.

    python docs/reference.py            # exit code 1 and the names of the pages that differ from the code
    python docs/reference.py --write    # write the pages

The words about columns are in `docs/tables.toml`; the words about keys are the comments of `conf/pipeline.toml`.
"""

from __future__ import annotations

import dataclasses
import math
import re
import sys
import textwrap
import tomllib
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from facesieve.core import tables
from facesieve.core.config import Config
from facesieve.core.reasons import Reason
from facesieve.decide import rules as rule_table

DOCS = Path(__file__).resolve().parent
PIPELINE = DOCS.parent / "conf" / "pipeline.toml"
NOTICE = "<!-- Written by docs/reference.py from the code: change the code, then run it with --write. -->\n"
_OUTSIDE: dict[type, Any] = {str: "", int: math.nan, float: math.nan}
"""A value that every check of a key refuses, so that the check says what is allowed."""


def pages() -> dict[str, str]:
    """Return the reference pages: name of the file in `docs/` -> text."""
    return {"configuration.md": configuration(), "tables.md": columns(), "rules.md": rules()}


def configuration() -> str:
    """Return the page of all configuration keys: default, what is allowed, meaning."""
    meanings = comments(PIPELINE.read_text(encoding="utf-8"))
    hints = typing.get_type_hints(Config)
    parts = [NOTICE + "# Configuration\n", _CONFIGURATION]
    for section in dataclasses.fields(Config):
        kind = hints[section.name]
        parts.append(f"## {section.name}\n\n{kind.__doc__}\n")
        parts += [
            _item(f"`{dotted}` = `{_toml(field.default)}`", f"{_cell(meanings[dotted])}. Allowed: {allowed}.")
            for dotted, field, allowed in _keys(section.name, kind)
        ]
        parts.append("")
    return "\n".join(parts)


def comments(text: str) -> dict[str, str]:
    """Return dotted key -> comment of a TOML file; a line of comment alone goes on with the comment above it.

    >>> comments('[lake]\\nroot = ""  # where the\\n           # tables are\\n')
    {'lake.root': 'where the tables are'}
    """
    meanings: dict[str, str] = {}
    section = last = ""
    for line in re.sub(r"(?<=,)\n\s+(?=\")|(?<=\])\n\s+(?=#)", " ", text).splitlines():  # of a list, make one line
        if header := re.fullmatch(r"\[([\w.]+)\]", line.strip()):
            section, last = header[1], ""
        elif entry := re.fullmatch(r"(\w+) = (?:\"[^\"]*\"|\[.*\]|[^#]*?) *# (.*)", line):
            last = f"{section}.{entry[1]}"
            meanings[last] = entry[2]
        elif last and (more := re.fullmatch(r"\s+# (.*)", line)):
            meanings[last] += " " + more[1]
    return meanings


def _keys(section: str, kind: type) -> Iterator[tuple[str, dataclasses.Field[Any], str]]:
    hints = typing.get_type_hints(kind)
    for field in dataclasses.fields(kind):
        if dataclasses.is_dataclass(hints[field.name]):
            yield from _keys(f"{section}.{field.name}", hints[field.name])
            continue
        yield (
            f"{section}.{field.name}",
            field,
            _cell(_allowed(hints[field.name], field.metadata["check"], field.metadata["needed"])),
        )


def _allowed(hint: Any, check: Any, needed: bool) -> str:
    if needed:
        return "a path or URI"
    if hint is bool:
        return "true or false"
    if check is None:
        return {str: "text", int: "an integer", float: "a number"}.get(hint, "a list of texts")
    advice = check(_OUTSIDE.get(hint, ("\0",))) or ""
    return re.sub(r"^(Use|Give) ", "", advice).rstrip(".")


def columns() -> str:
    """Return the page of all tables: key, partitions, and each column with its type and meaning."""
    words = tomllib.loads((DOCS / "tables.toml").read_text(encoding="utf-8"))
    rows = [f"| [`{table.name}`](#{table.name}) | {words[table.name]['row']} |" for table in tables.IN_LAKE]
    parts = [NOTICE + "# Tables\n", _TABLES, "| table | one row per |\n| --- | --- |", *rows, ""]
    for table in tables.IN_LAKE:
        parts.append(f"## {table.name}\n\n{words[table.name]['about']}\n")
        parts.append(f"- One row per {words[table.name]['row']}.\n- Key: {_names(table.key)}.")
        if table.partition:
            parts.append(f"- Partitions: {_names(table.partition)}.")
        parts.append("\nColumns:\n")
        parts += [
            _item(f"`{field.name}` ({_type(field.dataType)})", words[table.name][field.name]) for field in table.columns
        ]
        parts.append("")
    return "\n".join(parts)


def rules() -> str:
    """Return the page of the rules of `decide`, in their order of precedence."""
    table = getattr(rule_table, "rules_markdown", None)
    text = table() if table else "\n".join(f"- `{reason.value}`" for reason in Reason)
    return "\n".join([NOTICE + "# Rules\n", _RULES, text, ""])


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _item(name: str, meaning: str) -> str:
    """Return an item of a list, the name first, in lines of at most 120 characters."""
    lines = textwrap.wrap(meaning, 118, break_long_words=False, break_on_hyphens=False)
    whole = f"- {name}: {meaning}"
    names = textwrap.wrap(f"- {name}:", 118, break_long_words=False, break_on_hyphens=False)
    return whole if len(whole) <= 120 else "\n  ".join([*names, *lines])


def _cell(text: str) -> str:
    return text.replace("<", "&lt;").replace("*", "\\*")


def _type(kind: Any) -> str:
    return f"`{kind.simpleString().replace(',', ', ')}`"


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    return "[" + ", ".join(map(_toml, value)) + "]" if isinstance(value, tuple) else f"{value}"


_CONFIGURATION = """\
The file `conf/pipeline.toml` lists every key with its default.
Lay a file of your own over the defaults with `--overlay FILE`.
Set one key with `--set section.key=value`.
An overlay may hold a few keys only.
A later overlay wins over an earlier one, and `--set` wins over all files.

An unknown key ends the job with exit code 2, and the message names the nearest known key.
All faults of a configuration are listed at once.
A key of 0.4.0 that has a new name is refused, and the message tells the new name.

These keys matter first: `images.root`, `lake.root`, `images.identity`, `link.scope`, `decide.keep`, `publish.apply`.
"""

_TABLES = """\
The tables are Apache Iceberg tables, and their data files are Parquet.
The tables of the embedded catalog are in `<lake.root>/faces/`.
Names and types of columns are a contract: columns may be added, and a rename is rare.
`CHANGELOG.md` tells every rename, of names and of values.
[Reading results](reading.md) shows how to open the tables.
"""

_RULES = """\
Every image gets exactly one verdict.
The first rule that holds gives the verdict and the first reason.
[Decisions](decisions.md) explains the rules.

In rules 7 and 8 "clearly" means two things, and no key sets the two limits:

- The confidence that the image shows the person of the other folder is 0.7 and more.
- The membership score in the other folder is greater by 1 and more.

Without `[impostor]` and `[genuine]` in the profile no case is clear.

The column "confidence" says what probability the decision bears:

- none: nothing was weighed, and the confidence is null.
- 1: copies of one picture are certain.
- membership: the probability that the image shows the person of its folder, from its membership score.
  A dropped image bears the probability of the opposite.
- flip: the probability that the image shows the person of the other folder.
- link: the probability that two folders are one person.

The column "evidence" says among which faces the nearest face is looked for:

- folder: the kept faces of the person of the folder, also after `merged`.
- target: the kept faces of the new folder.
- protected: the faces of the protected people.
- as overridden: the kept faces of the folder.
  A move by hand has evidence only if the rules compared the image with that folder.

"""


def main() -> int:
    """Compare the committed pages with the code, or write them; return the exit code."""
    different = [
        name
        for name, text in pages().items()
        if not (DOCS / name).exists() or (DOCS / name).read_text(encoding="utf-8") != text
    ]
    for name in different:
        if "--write" in sys.argv[1:]:
            (DOCS / name).write_text(pages()[name], encoding="utf-8")
        print(f"docs/{name}: {'written' if '--write' in sys.argv[1:] else 'differs from the code'}")
    return 1 if different and "--write" not in sys.argv[1:] else 0


if __name__ == "__main__":
    sys.exit(main())

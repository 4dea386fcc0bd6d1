"""The configuration as it is written: a TOML file, files laid over it, and single keys of the command line."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import Any

from facesieve.core.errors import Fault


def read_tables(path: str, overlays: Sequence[str], sets: Sequence[str], faults: list[Fault]) -> dict[str, Any]:
    """Return the sections of a file, with overlays and `section.key=value` laid over them in their order.

    What cannot be read, or is no TOML, is added to `faults`.
    """
    tables: dict[str, Any] = {}
    for name in (path, *overlays):
        _lay_over(tables, _parse_file(name, faults))
    for text in sets:
        _lay_over(tables, _parse_set(text, faults))
    return tables


def _parse_file(name: str, faults: list[Fault]) -> Mapping[str, Any]:
    try:
        return tomllib.loads(Path(name).read_text(encoding="utf-8-sig"))
    except OSError as problem:
        faults.append(Fault(name, f"cannot be read ({problem.strerror})", "Give the path of a TOML file."))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        faults.append(Fault(name, f"is not valid TOML ({problem})", "Correct the file."))
    return {}


def _parse_set(text: str, faults: list[Fault]) -> Mapping[str, Any]:
    dotted, equals, raw = text.partition("=")
    names = dotted.strip().split(".")
    if not (equals and len(names) > 1 and all(names)):
        faults.append(Fault(f"--set {text}", "is not section.key=value", "Write it like --set lake.root=/data/lake."))
        return {}
    try:
        value = tomllib.loads(f"value = {raw}")["value"]
    except tomllib.TOMLDecodeError:
        value = raw
    return reduce(lambda inner, name: {name: inner}, reversed(names), value)


def _lay_over(base: dict[str, Any], top: Mapping[str, Any]) -> None:
    for name, value in top.items():
        if isinstance(value, Mapping) and isinstance(base.get(name), dict):
            _lay_over(base[name], value)
        else:
            base[name] = dict(value) if isinstance(value, Mapping) else value

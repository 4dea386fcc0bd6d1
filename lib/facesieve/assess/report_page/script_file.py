"""Data files of the page: scripts of one call, which a browser loads from `file://` too."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

_ESCAPED = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
"""What would end a script, or a line of one, although it stands inside a string of JSON."""

_DIGITS = 4


def script(name: str, value: object) -> str:
    """Return the text of the data file `name`.

    >>> script("groups-0001", {"label": "</script>"})
    'facesieve.receive("groups-0001", {"label":"\\\\u003c/script\\\\u003e"});\\n'
    """
    return f"facesieve.receive({_text(name)}, {_text(as_json(value))});\n"


def paged_name(kind: str, page: int) -> str:
    """Return the name of a page of a list, counted from 1.

    >>> paged_name("queue", 1)
    'queue-0001'
    """
    return f"{kind}-{page:04d}"


def sheet_name(group: str, page: int) -> str:
    """Return the name of a page of a contact sheet: the first has no number.

    >>> sheet_name("f17", 1), sheet_name("f17", 2)
    ('group-f17', 'group-f17-0002')
    """
    return f"group-{group}" if page == 1 else f"group-{group}-{page:04d}"


def as_json(value: object) -> Any:
    """Turn records into what `json` writes: numbers rounded, NaN as null."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {_name(each): as_json(getattr(value, each.name)) for each in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): as_json(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(each) for each in value]
    if isinstance(value, float):
        return round(value, _DIGITS) if math.isfinite(value) else None
    return value


def _name(field: dataclasses.Field[Any]) -> str:
    return str(field.metadata.get("name", field.name))


def _text(value: Any) -> str:
    written = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for sign, escape in _ESCAPED.items():
        written = written.replace(sign, escape)
    return written

"""Strict TOML to frozen dataclasses: every fault found at once, each with its key and what to do.

A configuration section is a frozen dataclass whose fields are made by `key`. `build` turns a parsed TOML table into it.
Strict means: an unknown key, a wrong type or a value outside its range is a fault, and nothing is silently converted
(an integer is accepted where a float is expected, since TOML users write `1` for `1.0`).
"""

from __future__ import annotations

import dataclasses
import difflib
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from facesieve.core.errors import Fault
from facesieve.core.places import expanded, not_utf8

Check = Callable[[Any], str | None]
Section = TypeVar("Section")

_KINDS = {str: "a string", int: "an integer", float: "a number", bool: "true or false"}


def key(
    default: Any = dataclasses.MISSING,
    check: Check | None = None,
    *,
    was: str = "",
    needed: bool = False,
    reads: Callable[[Any], Any] | None = None,
    place: bool = False,
) -> Any:
    """Declare one configuration key: its default (absent: the key must be set) and a check of its value.

    A check returns None for a good value, else what to do, as a sentence ("Use a number above 0."). `was` is the name
    that the key bore in 0.4.0: a fault then tells the new name. `needed`: whoever uses the section must set the key.
    `reads` turns what is written, where it has another type, into the type of the key.
    `place`: the value is a path or URI, or a list of them, in which `~` and variables are replaced.
    """
    if isinstance(default, list):
        default = tuple(default)
    return dataclasses.field(
        default=default, metadata={"check": check, "was": was, "needed": needed, "reads": reads, "place": place}
    )


def one_of(*choices: str, renamed: Mapping[str, str] | None = None) -> Check:
    """Accept one of the given words. `renamed`: word of 0.4.0 -> its new name, which a fault then tells."""

    def check(value: str) -> str | None:
        if renamed and value in renamed:
            return f"{value} was renamed to {renamed[value]}: write {renamed[value]}."
        return None if value in choices else "Use one of: " + ", ".join(choices) + "."

    return check


def each_of(*choices: str) -> Check:
    """Accept a list, without repeats, of the given words."""

    def check(values: tuple[str, ...]) -> str | None:
        fine = set(values) <= set(choices) and len(set(values)) == len(values)
        return None if fine else "Use a list, without repeats, of: " + ", ".join(choices) + "."

    return check


def between(low: float, high: float, *, open_low: bool = False, open_high: bool = False) -> Check:
    """Accept a number in a range; `open_low` and `open_high` exclude the ends."""

    def check(value: float) -> str | None:
        above = value > low if open_low else value >= low
        below = value < high if open_high else value <= high
        if above and below:
            return None
        left = "above" if open_low else "from"
        right = "below" if open_high else "to"
        return f"Use a number {left} {_number(low)} {right} {_number(high)}."

    return check


def at_least(low: float) -> Check:
    """Accept a finite number not below `low`."""

    def check(value: float) -> str | None:
        return None if low <= value < float("inf") else f"Use a number of at least {_number(low)}."

    return check


def _number(value: float) -> str:
    """Write a limit as people do.

    >>> _number(1 << 30), _number(0.999)
    ('1,073,741,824', '0.999')
    """
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def missing(section: type[Any], values: Any, prefix: str) -> list[Fault]:
    """Return a fault for every needed key of a section that is left empty in a parsed TOML table."""
    table = values if isinstance(values, Mapping) else {}
    needed = (field.name for field in dataclasses.fields(section) if field.metadata.get("needed"))
    return [
        Fault(f"{prefix}{name}", "is empty", "Give a path or URI.")
        for name in needed
        if not str(table.get(name, "")).strip()
    ]


def build(section: type[Section], raw: Mapping[str, Any], prefix: str, faults: list[Fault]) -> Section | None:
    """Make `section` from a parsed TOML table; None (and entries in `faults`) if anything is wrong.

    Nested dataclass fields are built from nested tables, with the dotted key in every fault.
    """
    hints = typing.get_type_hints(section)
    fields = {field.name: field for field in dataclasses.fields(section)}  # type: ignore[arg-type]
    before = len(faults)
    faults.extend(_unknown(prefix, name, fields) for name in raw if name not in fields)
    values: dict[str, Any] = {}
    for name, field in fields.items():
        dotted = f"{prefix}{name}"
        if name in raw or dataclasses.is_dataclass(hints[name]):
            reads = field.metadata.get("reads")
            written = raw.get(name, {})
            values[name] = _value(hints[name], reads(written) if reads else written, dotted, faults)
            if field.metadata.get("place"):
                values[name] = _places(values[name], dotted, faults)
            _run_check(field, values[name], dotted, faults)
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            if field.metadata.get("was") in raw:
                continue  # the fault that names the new key says enough
            faults.append(Fault(dotted, "is required and missing", f"Set {dotted}."))
        else:
            _run_check(field, field.default, dotted, faults)
    return section(**values) if len(faults) == before else None


def _places(written: Any, dotted: str, faults: list[Fault]) -> Any:
    if isinstance(written, tuple):
        return tuple(_places(each, dotted, faults) for each in written)
    return _place(written, dotted, faults) if isinstance(written, str) else written


def _place(written: str, dotted: str, faults: list[Fault]) -> str:
    if written.startswith("hf://"):
        kind, owner, name = (written.removeprefix("hf://").split("/") + [""] * 3)[:3]
        repository = f"{owner}/{name.partition('@')[0]} --repo-type dataset" if kind == "datasets" else "OWNER/NAME"
        fix = f"Download it first (hf download {repository} --local-dir FOLDER), and give the folder."
        faults.append(Fault(dotted, f"{written} cannot be read from here", fix))
        return written
    shown = not_utf8(written)
    if shown:
        fix = "Rename it, or give a link to it whose name is UTF-8; names below it may be any."
        faults.append(Fault(dotted, f"{shown}: its name is not UTF-8", fix))
        return written
    try:
        return expanded(written)
    except ValueError as problem:
        faults.append(Fault(dotted, f"{written}: {problem}", "Set it, or write the full path; $$ is a dollar sign."))
        return written


def _unknown(prefix: str, name: str, fields: Mapping[str, dataclasses.Field[Any]]) -> Fault:
    renamed = next((new for new, field in fields.items() if name == field.metadata.get("was")), None)
    if renamed:
        new = f"{prefix}{renamed}".rpartition(": ")[2]  # without the name of a profile's file
        return Fault(f"{prefix}{name}", f"was renamed to {new}", f"Write {new} instead.")
    near = difflib.get_close_matches(name, fields, n=1)
    fix = f"Did you mean {prefix}{near[0]}?" if near else "Known here: " + ", ".join(fields) + "."
    return Fault(f"{prefix}{name}", "is not a known key", fix)


def _run_check(field: dataclasses.Field[Any], value: Any, dotted: str, faults: list[Fault]) -> None:
    check = field.metadata.get("check")
    if value is None or check is None:
        return
    fix = check(value)
    if fix:
        shown = list(value) if isinstance(value, tuple) else value
        faults.append(Fault(dotted, f"{shown!r} is not allowed", fix))


def _value(hint: Any, raw: Any, dotted: str, faults: list[Fault]) -> Any:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        hint = next(kind for kind in typing.get_args(hint) if kind is not type(None))
    if dataclasses.is_dataclass(hint):
        if isinstance(raw, Mapping):
            return build(typing.cast(type[Any], hint), raw, f"{dotted}.", faults)
        faults.append(Fault(dotted, "is not a table", f"Write it as a section [{dotted}]."))
        return None
    if typing.get_origin(hint) is tuple:
        return _items(typing.get_args(hint)[0], raw, dotted, faults)
    return _scalar(hint, raw, dotted, faults)


def _items(kind: type, raw: Any, dotted: str, faults: list[Fault]) -> tuple[Any, ...] | None:
    if not isinstance(raw, (list, tuple)):
        faults.append(Fault(dotted, f"{raw!r} is not a list", "Write a list: [...]."))
        return None
    return tuple(_scalar(kind, item, dotted, faults) for item in raw)


def _scalar(kind: type, raw: Any, dotted: str, faults: list[Fault]) -> Any:
    if kind is float and type(raw) is int:
        return float(raw)
    if type(raw) is kind:
        return raw
    faults.append(Fault(dotted, f"{raw!r} is not {_KINDS[kind]}", f"Give {_KINDS[kind]}."))
    return None

"""Dataclasses that are written as JSON objects and read from them.

A reader may meet an object that another version has written: a field that is absent (or null) has its default, and one
that is not declared is passed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

_NAME, _RECORD, _RECORDS, _OPTIONAL = "name", "record", "records", "optional"


@dataclass(frozen=True, kw_only=True)
class Record:
    """A JSON object. Subclasses are frozen dataclasses whose fields all have defaults."""

    def to_json(self) -> dict[str, Any]:
        """Return the object as `json.dumps` takes it."""
        written = {}
        for each in fields(self):
            value = getattr(self, each.name)
            if value is not None or _OPTIONAL not in each.metadata:
                written[each.metadata.get(_NAME, each.name)] = _json(value, several=_RECORDS in each.metadata)
        return written

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> Self:
        """Read an object that this or another version has written."""
        values: dict[str, Any] = {}
        for each in fields(cls):
            value, record = written.get(each.metadata.get(_NAME, each.name)), each.metadata.get(_RECORD)
            if value is not None and _RECORDS in each.metadata:
                values[each.name] = tuple(each.metadata[_RECORDS].from_json(row) for row in value)
            elif value is not None:
                values[each.name] = record.from_json(value) if record else value
        return cls(**values)


def _json(value: Any, *, several: bool) -> Any:
    if several and value is not None:
        return [each.to_json() for each in value]
    return value.to_json() if isinstance(value, Record) else value


def optional() -> Any:
    """Declare a field that is left out where it is None; others are written as null."""
    return field(default=None, metadata={_OPTIONAL: True})


def named(name: str, default: Any = None) -> Any:
    """Declare a field that has another name in JSON."""
    return field(default=default, metadata={_NAME: name})


def nested(record: type[Record]) -> Any:
    """Declare a field that holds a record or None."""
    return field(default=None, metadata={_RECORD: record})


def several(record: type[Record]) -> Any:
    """Declare a field that holds a sequence of records; left out, as None, in rows of before it was there."""
    return field(default=None, metadata={_RECORDS: record, _OPTIONAL: True})


def mapping() -> Any:
    """Declare a field that holds a mapping, empty by default."""
    return field(default_factory=dict)

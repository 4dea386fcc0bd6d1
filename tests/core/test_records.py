"""Records survive JSON, and what other versions have written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from facesieve.core.records import Record, mapping, named, nested, optional


@dataclass(frozen=True, kw_only=True)
class Inner(Record):
    number: int = 0


@dataclass(frozen=True, kw_only=True)
class Outer(Record):
    text: str = "default"
    nothing: int | None = None
    absent: int | None = optional()
    renamed: int | None = named("in json")
    inner: Inner | None = nested(Inner)
    counts: Mapping[str, int] = mapping()


def test_only_an_optional_field_without_a_value_is_left_out() -> None:
    written: dict[str, object] = {"text": "default", "nothing": None, "in json": None, "inner": None, "counts": {}}
    assert Outer().to_json() == written
    assert Outer(absent=0).to_json() == written | {"absent": 0}


def test_a_record_survives_json() -> None:
    record = Outer(text="a", nothing=1, absent=2, renamed=3, inner=Inner(number=4), counts={"b": 5})
    assert record.to_json()["inner"] == {"number": 4}
    assert Outer.from_json(record.to_json()) == record


def test_fields_that_are_missing_null_or_unknown() -> None:
    assert Outer.from_json({}) == Outer.from_json({"text": None, "counts": None, "unknown": [1]}) == Outer()

"""Records survive JSON, and what other versions have written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from facesieve.core.records import Record, mapping, named, nested, optional, several


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
    inners: Sequence[Inner] | None = several(Inner)


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


def test_several_records_survive_json_and_older_rows_have_none() -> None:
    record = Outer(inners=(Inner(number=1), Inner(number=2)))
    assert record.to_json()["inners"] == [{"number": 1}, {"number": 2}]
    assert Outer.from_json(record.to_json()) == record
    assert Outer(inners=()).to_json()["inners"] == []
    assert "inners" not in Outer.from_json({}).to_json()

"""Strict loading: every fault at once, each with its key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from facesieve.core.config_schema import at_least, between, build, each_of, key, one_of
from facesieve.core.errors import Fault


@dataclass(frozen=True)
class Inner:
    side: float = key(check=at_least(2))


@dataclass(frozen=True)
class Outer:
    name: str = key("x", one_of("x", "y"))
    share: float = key(0.5, between(0, 1, open_low=True))
    parts: tuple[str, ...] = key([], each_of("a", "b"))
    count: int = key(1)
    flag: bool = key(False)
    inner: Inner | None = None


def _faults(raw: dict[str, Any]) -> dict[str, Fault]:
    faults: list[Fault] = []
    assert build(Outer, raw, "", faults) is None
    return {fault.key: fault for fault in faults}


def test_good_values_and_defaults() -> None:
    faults: list[Fault] = []
    outer = build(Outer, {"share": 1, "parts": ["b"], "inner": {"side": 3}}, "", faults)
    assert faults == []
    assert outer == Outer(share=1.0, parts=("b",), inner=Inner(3.0))
    assert isinstance(outer.share, float)


def test_all_faults_are_reported_at_once_with_dotted_keys() -> None:
    faults = _faults({"nam": 1, "share": 0, "count": 1.5, "inner": {}, "parts": ["a", "a"]})
    assert set(faults) == {"nam", "share", "count", "inner.side", "parts"}
    assert "Did you mean name?" in faults["nam"].fix
    assert "above 0 to 1" in faults["share"].fix


@pytest.mark.parametrize(
    ("name", "value"),
    [("flag", 1), ("count", True), ("count", "1"), ("name", 3), ("parts", "a"), ("inner", 3), ("share", float("nan"))],
)
def test_nothing_is_converted_silently(name: str, value: object) -> None:
    assert set(_faults({name: value})) == {name}


def test_limits_are_written_in_full() -> None:
    assert between(1 << 26, 1 << 40)(0) == "Use a number from 67,108,864 to 1,099,511,627,776."
    assert between(0.5, 0.999)(0) == "Use a number from 0.5 to 0.999."
    assert at_least(20_000)(0) == "Use a number of at least 20,000."

"""How a side job ended stands in the ledger, also where it did not end well."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from facesieve.cli.noted import noted
from facesieve.core.console import Answer
from facesieve.core.errors import Refused


class Noting:
    """A ledger that keeps what it is asked to note."""

    def __init__(self) -> None:
        self.lines: list[tuple[Any, ...]] = []

    def begin(self, job: str) -> None:
        self.lines.append((job, "started"))

    def end(self, job: str, what: str, facts: Mapping[str, int] | None = None) -> None:
        self.lines.append((job, what, facts))


def _answer(ledger: Any, problem: BaseException | None = None) -> Answer:
    def answer() -> Answer:
        if problem is not None:
            raise problem
        return Answer("done", {"expired": 3, "warnings": []})

    return noted(ledger, "maintain", answer, lambda record: {"expired": record["expired"]})


def test_what_it_has_done_is_noted() -> None:
    ledger = Noting()
    assert _answer(ledger).text == "done"
    assert ledger.lines == [("maintain", "started"), ("maintain", "done", {"expired": 3})]


@pytest.mark.parametrize(
    ("problem", "ending"),
    [(Refused("a run is at work"), "refused"), (KeyboardInterrupt(), "interrupted"), (OSError("no disk"), "failed")],
)
def test_what_goes_wrong_is_noted_and_raised(problem: BaseException, ending: str) -> None:
    ledger = Noting()
    with pytest.raises(type(problem)):
        _answer(ledger, problem)
    assert ledger.lines == [("maintain", "started"), ("maintain", ending, None)]

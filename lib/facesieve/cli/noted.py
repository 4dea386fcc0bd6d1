"""A side job that writes says in the ledger that it began, and how it ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from py4j.protocol import Py4JError

from facesieve.core.console import Answer
from facesieve.core.errors import Refused
from facesieve.lake.ledger import Ledger

Counts = Callable[[Mapping[str, Any]], Mapping[str, int | str]]
"""From the record of an answer to what the ledger keeps of it."""


def noted(ledger: Ledger, command: str, answer: Callable[[], Answer], counts: Counts) -> Answer:
    """Answer, and note it in a row of the ledger of its own. What goes wrong is noted, and raised again."""
    ledger.begin(command)
    try:
        result = answer()
    except BaseException as problem:
        with suppress(Py4JError, OSError):  # where Spark itself is gone
            ledger.end(command, _ending(problem))
        raise
    ledger.end(command, "done", counts(result.record))
    return result


def _ending(problem: BaseException) -> str:
    if isinstance(problem, Refused):
        return "refused"
    return "interrupted" if isinstance(problem, KeyboardInterrupt) else "failed"

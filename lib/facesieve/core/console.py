"""What a person reads: words for counts and seconds, tables of words, progress of long work."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

_log = logging.getLogger(__name__)


class Answer(NamedTuple):
    """What a side job found: for a person, and for programs (`--json`)."""

    text: str
    record: dict[str, Any]


def count(number: int | None) -> str:
    """Write a count with thousands separators; a dash where there is none."""
    return "-" if number is None else f"{number:,}"


def duration(seconds: float) -> str:
    """Write seconds so that a person can read them: `12.3 s`, `4 min 05 s`, `2 h 07 min`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Lay rows of words out in columns: the first to the left, numbers (all others) to the right.

    >>> print(aligned([["stage", "rows"], ["link", "12"]]))
    stage  rows
    link     12
    """
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join([row[0].ljust(widths[0]), *cells]).rstrip())
    return "\n".join(lines)


class Progress:
    """Progress of a long count: done, rate and time left, one line per step."""

    def __init__(self, what: str, total: int) -> None:
        self._what = what
        self._total = total
        self._done = 0
        self._started = time.monotonic()

    def step(self, added: int) -> None:
        """Count `added` more as done and print a line."""
        self._done += added
        rate = self._done / max(time.monotonic() - self._started, 1e-9)
        left = duration((self._total - self._done) / max(rate, 1e-9))
        _log.info(f"{self._what}: {self._done:,} of {self._total:,}, {rate:.1f}/s, {left} left")

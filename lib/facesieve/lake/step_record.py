"""What the ledger's JSON holds of any step, as a type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from facesieve.core.records import Record, mapping


@dataclass(frozen=True, kw_only=True)
class StepRecord(Record):
    """What the ledger keeps of any step: `seconds`, Spark's `jobs` and `tasks`, and `key` are filled in at its end."""

    seconds: float = 0.0
    jobs: int | None = None
    tasks: int | None = None
    key: str = ""
    reused: bool = False
    rows_in: int | None = None
    rows_out: int | None = None
    reasons: Mapping[str, int] = mapping()

"""What the ledger keeps of a link cosine: the false matches that it is expected to make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from facesieve.core.records import Record


@dataclass(frozen=True, kw_only=True)
class FalseMatchForecast(Record):
    """What a link cosine is expected to do: false matches per face, by which lines (intercept and slope)."""

    forecast: float | None = None
    by_profile: float | None = None
    by_estimate: float | None = None
    profile_line: Sequence[float] | None = None
    estimated_line: Sequence[float] | None = None
    estimated_from: str | None = None
    safe_cosine: float | None = None
    genuine_below: float | None = None

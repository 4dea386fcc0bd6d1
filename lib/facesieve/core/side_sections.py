"""The sections of the configuration that side jobs read, and the section of who runs a job and why."""

from __future__ import annotations

from dataclasses import dataclass

from facesieve.core.config_schema import at_least, between, key


@dataclass(frozen=True)
class Audit:
    """Who runs a job that writes to the lake, what for, and on what legal ground: the ledger keeps it."""

    operator: str = key("")
    purpose: str = key("")
    basis: str = key("")
    require_purpose: bool = key(False)


@dataclass(frozen=True)
class Maintain:
    """What `maintain` leaves alone."""

    keep_days: int = key(30, between(1, 36_500))
    longest_run_hours: int = key(72, between(24, 8_760))


@dataclass(frozen=True)
class Erase:
    """What `erase` may do, and what its proof looks for."""

    max_images: int = key(1_000, at_least(1))
    key_file: str = key("", place=True)
    tombstone_days: int = key(0, between(0, 36_500))
    proof_cosine: float = key(0.9995, between(0.9, 1, open_low=True))
    block_similar: bool = key(False)


_DAYS = between(0, 36_500)


@dataclass(frozen=True)
class Retention:
    """How many days `retain` keeps what is no longer needed; 0 keeps it for ever."""

    gone_days: int = key(0, _DAYS)
    reject_days: int = key(0, _DAYS)
    unclustered_days: int = key(0, _DAYS)
    export_days: int = key(0, _DAYS)
    run_days: int = key(0, _DAYS)


@dataclass(frozen=True)
class Report:
    """What the page of a run holds."""

    names: bool = key(False)
    queue: int = key(1_000, between(1, 20_000))
    groups: int = key(2_000, between(1, 50_000))
    sheet_images: int = key(200, between(10, 2_000))
    max_pictures: int = key(2_000, between(0, 100_000))
    size: int = key(112, between(32, 512))
    quality: int = key(80, between(1, 95))

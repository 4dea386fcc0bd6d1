"""What an erasure does not begin beside: a run at work, tables that share files, and names and paths without a key."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pyspark.sql import functions as F

from facesieve.core import tables
from facesieve.core.errors import ConfigError, Fault, Refused
from facesieve.core.hidden_paths import HIDDEN, path_seal
from facesieve.core.pseudonyms import PSEUDONYM, fingerprint, names_key
from facesieve.lake.records import ListingRecord
from facesieve.lake.retention import running
from facesieve.lake.side_job import SideJob
from facesieve.lake.upkeep import Upkeep

_FIX = "Give lake.store_names, lake.store_paths and lake.names_key as the runs of this lake have them."


def refuse_unopened(job: SideJob) -> None:
    """Raise ConfigError if the lake holds hidden paths or pseudonyms that the settings and the key do not open."""
    paths, names = _patterns(job)
    settings = job.config.lake
    faults = [
        Fault(f"lake.store_{kind}", wrong, _FIX)
        for kind, hidden, wrong in (
            ("names", names, "is true, but the tables hold pseudonyms"),
            ("paths", paths, "is true, but the tables hold hidden paths"),
        )
        if hidden and getattr(settings, f"store_{kind}")
    ]
    if not faults and _closed(job, paths, bool(names)):
        faults.append(Fault("lake.names_key", "is not the key of the names and paths in the tables", _FIX))
    if faults:
        raise ConfigError(faults)


def _patterns(job: SideJob) -> tuple[str | None, str | None]:
    """Return a path of the listing if all its paths look hidden, and a name if all its names look like pseudonyms."""
    at = job.lake.current(tables.LISTING)
    if at is None:
        return None, None
    patterns = {"uri": HIDDEN, "identity": PSEUDONYM}
    hidden = (F.min(F.col(name).rlike(f"^{pattern}$")) for name, pattern in patterns.items())
    some = (F.when(each, F.min(name)) for name, each in zip(patterns, hidden, strict=True))
    row = (
        job.lake.read(tables.LISTING, at).agg(*(each.alias(str(number)) for number, each in enumerate(some))).collect()
    )
    return row[0][0], row[0][1]


def _closed(job: SideJob, path: str | None, names: bool) -> bool:
    """Say whether the key does not open this path, or not these names."""
    seal = path_seal(job.config.lake) if path else None
    if path and seal and seal.show(path) == path:
        return True
    key = names_key(job.config.lake) if names else None
    return key is not None and _marks_another(job, key)


def _marks_another(job: SideJob, key: bytes) -> bool:
    """Say whether the run that made the listing had another key; runs of older versions did not record it."""
    at = job.lake.current(tables.LISTING)
    if at is None or job.lake.current(tables.RUNS) is None:
        return False
    record = job.ledger.step_of(at.run, "listing")
    return isinstance(record, ListingRecord) and record.names_key not in (None, fingerprint(key))


def refuse_running(job: SideJob) -> None:
    """Raise Refused while a run is at work, or was killed and neither resumed nor undone."""
    longest = timedelta(hours=job.config.maintain.longest_run_hours)
    names = ", ".join(entry.run for entry in running(job.ledger.entries(), datetime.now(UTC), longest))
    if names:
        raise Refused(
            f"runs are at work, or were killed: {names}. Nothing was erased. Wait until they have ended. Of a run that "
            "was killed, start the same command with --run NAME, or undo it with jobs/undo.py --undo NAME."
        )


def refuse_shared(job: SideJob) -> None:
    """Raise Refused for tables whose files may be those of other tables too."""
    here = [table for table in tables.IN_LAKE if job.lake.current(table) is not None]
    shared = [table.name for table in here if Upkeep(job.spark, job.lake.name_of(table)).shared()]
    if shared:
        raise Refused(
            f"tables have gc.enabled = false, so other tables may share their files: {', '.join(shared)}. Nothing was "
            "changed. Set the property to true where that is not so."
        )

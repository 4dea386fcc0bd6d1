"""What an erasure does not begin beside: a run at work, and tables that share their files."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from facesieve.core import tables
from facesieve.core.errors import Refused
from facesieve.lake.retention import running
from facesieve.lake.side_job import SideJob
from facesieve.lake.upkeep import Upkeep


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

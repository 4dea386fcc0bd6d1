"""What an erasure finds before it begins: rows, versions, exports, leftovers of killed runs, files of the source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pyspark.sql import Column
from pyspark.sql import functions as F

from facesieve.core import tables
from facesieve.core.config import as_dict
from facesieve.core.console import aligned, count
from facesieve.core.hidden_paths import is_hidden
from facesieve.core.places import absolute, is_below
from facesieve.core.tables import Table
from facesieve.erasure.exports import Touched, without_subject
from facesieve.erasure.rebase import Rows
from facesieve.erasure.selection import WITH_IMAGES
from facesieve.erasure.subject import Subject
from facesieve.faces.blocks import ids_and_codes
from facesieve.images.storage import Storage
from facesieve.lake import iceberg
from facesieve.lake.catalog_faults import is_hadoop
from facesieve.lake.leftovers import leftovers
from facesieve.lake.session import scratch
from facesieve.lake.side_job import SideJob
from facesieve.link.epoch import stored_faces

BY_IMAGE = (*WITH_IMAGES, tables.IDLE)
"""The tables with rows of an image."""
_BY_PAIR = (tables.EDGES, tables.VOTES)
_LONG_AFTER = timedelta(days=3_650)
"""No run is at work: what killed runs have left goes however young it is."""


@dataclass(frozen=True)
class TablePlan:
    """A table: rows of the subject in its current version, its versions, and its branches and tags besides `main`."""

    rows: int
    snapshots: int
    references: int


@dataclass(frozen=True)
class Plan:
    """All of it. scratch: folders of killed runs. source: uris of the subject's images."""

    tables: Mapping[str, TablePlan]
    exports: Sequence[Touched]
    scratch: int
    source: Sequence[str]

    def text(self) -> str:
        """Return it for people."""
        rows = [["table", "rows", "versions", "branches, tags"]]
        rows += [[name, *map(count, asdict(each).values())] for name, each in self.tables.items()]
        lines = [f"export {each.form} of the run {each.run}: {each.action}" for each in self.exports]
        left = f"{count(self.scratch)} folders that killed runs have left in the scratch folder"
        source = [f"{count(len(self.source))} images of the source:", *(f"  {uri}" for uri in self.source)]
        return "\n".join([aligned(rows), *lines, left, *source])

    def record(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "tables": {name: asdict(each) for name, each in self.tables.items()},
            "exports": [asdict(each) for each in self.exports],
            "scratch": self.scratch,
            "source": list(self.source),
        }


def plan_of(job: SideJob, subject: Subject) -> Plan:
    """Look at everything that the subject is in."""
    here = [table for table in tables.IN_LAKE if job.lake.current(table) is not None]
    touched = [each for root in export_roots(job) for each in without_subject(Storage(root), subject, apply=False)]
    source = [uri for uri in subject.uris if not is_hidden(uri)]
    return Plan({table.name: _table(job, table, subject) for table in here}, touched, len(killed(job)), source)


def export_roots(job: SideJob) -> list[str]:
    """Return the places of exports: that of the configuration, and those that runs have noted."""
    noted = (job.ledger.record_of(entry.run).export_root for entry in job.ledger.entries())
    return sorted({absolute(root) for root in (job.config.publish.export_root, *noted) if root})


def places(job: SideJob) -> list[str]:
    """Return the places that a proof looks through; none lies below another."""
    lake = job.config.lake
    here = (job.lake.name_of(table) for table in tables.IN_LAKE if job.lake.current(table) is not None)
    locations = {str(iceberg.existing(job.spark, name).java.location()) for name in here}
    if is_hadoop(job.spark, lake.catalog) and lake.root:
        locations = {f"{absolute(lake.root).rstrip('/')}/{lake.namespace}"}
    every = sorted({*locations, scratch(lake), *export_roots(job)})
    return [each for each in every if not any(each != other and is_below(each, other) for other in every)]


def own_places(job: SideJob) -> set[str]:
    """Return places and settings of the job: a name inside is no trace of the person who bears it."""
    records = [{"config": as_dict(job.config)}, *job.ledger.records()]
    settings = {value for record in records for value in _texts(record.get("config"))}
    folders = {f"{table.name}/{folder}" for table in tables.IN_LAKE for folder in ("data", "metadata")}
    return {*settings, *folders, *places(job)}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for each in value.values() for text in _texts(each))
    elif isinstance(value, list | tuple):
        yield from (text for each in value for text in _texts(each))


def killed(job: SideJob) -> list[str]:
    """Return what killed runs have left in the scratch folder."""
    return leftovers(job.spark, job.config.lake, datetime.now(UTC) + _LONG_AFTER, timedelta(0))


def _table(job: SideJob, table: Table, subject: Subject) -> TablePlan:
    here = iceberg.existing(job.spark, job.lake.name_of(table))
    rows = rows_of(Rows(job.lake.read(table, job.lake.snapshot(table))), table, subject)
    return TablePlan(rows, len(here.commits()), len(here.heads()) - 1)


def rows_of(rows: Rows, table: Table, subject: Subject) -> int:
    """Count the rows of a table, or the packed faces, that are of the subject."""
    if table is tables.EPOCHS:
        return ids_and_codes(stored_faces(tables.Epochs(rows))).where(F.col("face_id").isin(*subject.faces)).count()
    condition = _holds(table, subject)
    return 0 if condition is None else rows.where(condition).count()


def _holds(table: Table, subject: Subject) -> Column | None:
    if table in BY_IMAGE:
        return F.col("image_id").isin(*subject.images)
    if table in _BY_PAIR:
        return F.col("src").isin(*subject.faces) | F.col("dst").isin(*subject.faces)
    if table is tables.CLUSTERS:
        return F.col("face_id").isin(*subject.faces)
    if table is tables.IDENTITY_LINKS:
        return F.col("identity_a").isin(*subject.names) | F.col("identity_b").isin(*subject.names)
    return None

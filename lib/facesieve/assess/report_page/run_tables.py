"""The tables that a report reads: those of a finished run, and of the run before it, each at its version."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import cached_property

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.assess.finished_run import FinishedRun, finished_run
from facesieve.core import tables
from facesieve.core.errors import ConfigError, ContractError
from facesieve.core.tables import Clusters, Decisions, Embeddings, Listing, Rejects, Table
from facesieve.lake.ledger import Ledger, newest_first
from facesieve.lake.records import SCOPES, ClusterRecord, LinkRecord, RunRecord
from facesieve.lake.side_job import SideJob

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunTables:
    """The tables of one run. record: what the ledger holds of the run; empty for a run that somebody else wrote."""

    source: FinishedRun
    record: RunRecord

    @property
    def run(self) -> str:
        """Return the run's name."""
        return self.source.run

    def read(self, table: Table) -> DataFrame:
        """Read a table. Raises ConfigError where the run left none, ContractError where it is of another version."""
        rows = self.source.table(table)
        differences = tables.differences(table, rows.schema)
        if differences:
            fix = "Make the report with the version of facesieve that wrote the lake, or run jobs/sieve.py first."
            raise ContractError(f"the lake is of another version: {'; '.join(differences)}. {fix}")
        return rows

    @property
    def decisions(self) -> Decisions:
        """Return the verdicts."""
        return Decisions(self.read(tables.DECISIONS))

    @property
    def listing(self) -> Listing:
        """Return the images."""
        return Listing(self.read(tables.LISTING))

    @property
    def clusters(self) -> Clusters:
        """Return the clusters of all scopes."""
        return Clusters(self.read(tables.CLUSTERS))

    @property
    def embeddings(self) -> Embeddings:
        """Return the faces of the run's model."""
        return Embeddings(self._of_model(tables.EMBEDDINGS))

    @property
    def rejects(self) -> Rejects:
        """Return the images without a usable face; none where the run left no such table."""
        return Rejects(self._of_model(tables.REJECTS))

    @cached_property
    def scopes(self) -> list[str]:
        """Return the scopes that were clustered, as the ledger tells, else as the table tells, which is read once."""
        cluster = self.record.stages.get("cluster")
        if isinstance(cluster, ClusterRecord) and cluster.scopes:
            return [scope for scope in SCOPES if scope in cluster.scopes]
        present = {row["scope"] for row in self.clusters.select("scope").distinct().collect()}
        return [scope for scope in SCOPES if scope in present]

    def link_cosine(self, scope: str) -> float | None:
        """Return the cosine from which faces were linked in a scope; None if the ledger does not tell."""
        link = self.record.stages.get("link")
        return link.cosines.get(scope) if isinstance(link, LinkRecord) else None

    def _of_model(self, table: Table) -> DataFrame:
        rows = self.read(table)
        return rows.where(F.col("model") == self.record.model) if self.record.model else rows


def run_tables(job: SideJob, name: str) -> RunTables:
    """Find the run to report: the newest with status `done`, or the one of that name. Raises ConfigError."""
    source = finished_run(job.lake, name)
    tables_of = RunTables(source, job.ledger.record_of(source.run))
    for table in (tables.LISTING, tables.EMBEDDINGS, tables.CLUSTERS, tables.DECISIONS):
        tables_of.read(table)
    return tables_of


def run_before(job: SideJob, reported: RunTables) -> RunTables | None:
    """Find the newest finished run that ended before the reported run; None without one that can still be read."""
    name = _name_before(job.ledger, reported.run)
    if name is None:
        return None
    try:
        return run_tables(job, name)
    except (ConfigError, ContractError):
        job.warn(f"report: the run {name} before this run can be read no more: nothing is said of what has changed")
        return None


def _name_before(ledger: Ledger, run: str) -> str | None:
    done = [entry for entry in newest_first(ledger.entries()) if entry.status == "done" and "decisions" in entry.after]
    names = [entry.run for entry in done]
    later = names[names.index(run) + 1 :] if run in names else []
    return later[0] if later else None

"""What a side job reads: the tables as one finished run left them."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from facesieve.core import tables
from facesieve.core.errors import ConfigError, Fault
from facesieve.core.tables import Table
from facesieve.lake.catalog import Lake, Snapshot


@dataclass(frozen=True)
class FinishedRun:
    """A consistent reading point: a run with status `done`, and the snapshot id of each table after it."""

    lake: Lake
    run: str
    after: Mapping[str, int]

    def table(self, table: Table) -> DataFrame:
        """Read a table as the run left it, scopes by their present names. Raises ConfigError if the run left none."""
        if table.name not in self.after:
            fix = "Run jobs/sieve.py, which makes all tables, or name another run with --run."
            raise ConfigError([Fault(f"table {table.name}", f"the run {self.run} left none", fix)])
        rows = self.lake.read(table, self._version(table))
        return rows.withColumn("scope", _scope()) if "scope" in rows.columns else rows

    def _version(self, table: Table) -> Snapshot:
        at = self.after[table.name]
        same = [each for each in self.lake.versions(table) if at in (each.id, each.version)]
        if not same:
            problem = f"the version of the run {self.run} has been expired"
            fix = "Name a newer run with --run; maintain.keep_days says how long runs stay whole."
            raise ConfigError([Fault(f"table {table.name}", problem, fix)])
        return same[-1]


def _scope() -> Column:
    renamed = (F.when(F.col("scope") == former, name) for former, name in tables.FORMER_SCOPES.items())
    return F.coalesce(*renamed, "scope")


def finished_run(lake: Lake, name: str) -> FinishedRun:
    """Find the newest run with status `done`, or the one of that name. Raises ConfigError if there is none."""
    here = lake.current(tables.RUNS)
    if here is not None:
        done = lake.read(tables.RUNS, here).where(F.col("status") == "done")
        named = done.where(F.col("run") == name) if name else done
        newest = named.orderBy(F.desc("ended"), F.desc("run")).select("run", "after").head()
        if newest is not None:
            return FinishedRun(lake, newest["run"], newest["after"])
    if name:
        fix = "Name another, or leave --run away."
        status = _status(lake, name) if here is not None else None
        ended = f": its status is {status}" if status else ""
        raise ConfigError([Fault("--run", f"no finished run of this lake is named {name}{ended}", fix)])
    fix = "Run jobs/sieve.py first, or name the lake that it wrote."
    raise ConfigError([Fault("lake.root", "no run has finished in this lake", fix)])


def _status(lake: Lake, name: str) -> str | None:
    rows = lake.read(tables.RUNS, lake.snapshot(tables.RUNS)).where(F.col("run") == name).select("status").head(1)
    return rows[0]["status"] if rows else None


def add_run(parser: ArgumentParser) -> None:
    """Let the user name the run to read."""
    parser.add_argument("--run", default="", metavar="NAME", help="run whose tables are read (default: the newest)")

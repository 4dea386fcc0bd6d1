"""A lake as a finished run leaves it, from rows, so that side jobs can be tested without the stages."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from facesieve import config, profiles, runner, tables
from facesieve.lake import Lake, Stamp

ROOT = Path(__file__).resolve().parents[1]


class Finished:
    """A namespace of the test catalog with runs that somebody made."""

    def __init__(self, spark: SparkSession) -> None:
        self.spark = spark
        self.sets = {
            "lake.root": spark.conf.get("spark.sql.catalog.lake.warehouse"),
            "lake.namespace": f"ns_{uuid.uuid4().hex[:8]}",
            "images.root": "/nowhere",
        }
        settings = config.load(str(ROOT / "conf/pipeline.toml"), (), self._assigned())
        self.lake = Lake(spark, settings.lake)
        self.model = profiles.model_id(profiles.load("facenet", str(ROOT / "conf/models")), settings.embed)

    def put(self, table: tables.Table, rows: list[dict[str, Any]]) -> int:
        """Make the rows (columns that are not given are null) the table's next version; return its snapshot id."""
        columns = table.columns.names
        filled = self.spark.createDataFrame([tuple(row.get(name) for name in columns) for row in rows], table.columns)
        return self.lake.overwrite(table, filled, Stamp("made", "key", {}), self.lake.open(table)).id

    def run(self, name: str, after: dict[str, int], status: str = "done") -> None:
        """Write a row of the ledger; later ones are newer."""
        self.lake.open(tables.RUNS)
        now = datetime.now(UTC)
        row = self.spark.createDataFrame([(name, status, now, now, {}, after, "{}")], tables.RUNS.columns)
        self.lake.put_row(tables.RUNS, row, "run", name)

    def ask(self, job: Any, *arguments: str, model: str = "facenet") -> int:
        """Ask a side job (the module of its verb) and return the exit code."""
        question = getattr(job, job.__name__.rpartition(".")[2])
        sets = [part for each in (*self._assigned(), f"embed.model={model}") for part in ("--set", each)]
        given = ["--config", str(ROOT / "conf/pipeline.toml"), *sets, *arguments]
        return runner.ask(question, "", job.add_arguments, given)

    def _assigned(self) -> list[str]:
        return [f"{name}={value}" for name, value in self.sets.items()]

    def history(self) -> str:
        """Return all that a side job must not change: every table's snapshots and the ledger's rows."""
        made = self.spark.catalog.listTables(f"lake.{self.sets['lake.namespace']}")
        names = sorted(table.name for table in made)
        space = f"lake.{self.sets['lake.namespace']}"
        snapshots = {
            name: [str(row) for row in self.spark.table(f"{space}.{name}.snapshots").orderBy("snapshot_id").collect()]
            for name in names
        }
        return json.dumps(snapshots)

"""Checkpoints of a long vote: the state after each superstep, until the vote's result is in the lake.

Each superstep is one Parquet folder, `<folder>/<run>/<superstep>`. Spark's `_SUCCESS` says that the folder is whole.
A run that goes on with the same work reads the last whole folder of any killed run. It writes beside that folder.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from facesieve.cluster.frames import VoteState
from facesieve.lake import hadoop_files

_HISTORY = "facesieve.histories"
_OLD = timedelta(days=7)
_STORED = 2
"""Supersteps stored: the one that is read while the next is written."""


@dataclass(frozen=True)
class Checkpoint:
    """The state after a superstep, and by coin the unsettled vertices at the begin of each superstep before it."""

    step: int
    histories: list[list[int]]
    state: VoteState


@dataclass
class Checkpoints:
    """The states of one vote under one folder, as this run writes and any run reads them."""

    spark: SparkSession
    folder: str
    run: str

    def write(self, step: int, state: VoteState, histories: list[list[int]]) -> VoteState:
        """Write the state after a superstep, which cuts its lineage, and return the state as it is read back."""
        path = self._path(self.run, step)
        first, *others = state.columns
        with_history = F.col(first).alias(first, metadata={_HISTORY: json.dumps(histories)})
        state.select(with_history, *others).write.mode("overwrite").parquet(path)
        hadoop_files.delete(self.spark, self._path(self.run, step - _STORED))
        return VoteState(self.spark.read.schema(state.schema).parquet(path))

    def last(self) -> Checkpoint | None:
        """Return the last superstep that any run has written whole."""
        paths = {(step, run): self._path(run, step) for run, step in self._steps()}
        whole = [each for each, path in paths.items() if hadoop_files.exists(self.spark, f"{path}/_SUCCESS")]
        if not whole:
            return None
        step, run = max(whole)
        state = self.spark.read.parquet(self._path(run, step))
        histories = json.loads(state.schema[0].metadata[_HISTORY])
        return Checkpoint(step, histories, VoteState(state))

    def clear(self) -> None:
        """Delete the states, also those of runs that were killed."""
        hadoop_files.delete(self.spark, self.folder)

    def clear_old(self) -> None:
        """Delete the folders beside this one that nobody has touched for `_OLD`: no run goes on with them."""
        beside = self.folder.rpartition("/")[0]
        oldest = time.time() - _OLD.total_seconds()
        for child in hadoop_files.children(self.spark, beside):
            if child.modified < oldest:
                hadoop_files.delete(self.spark, f"{beside}/{child.name}")

    def _path(self, run: str, step: int) -> str:
        return f"{self.folder}/{run}/{step:06d}"

    def _steps(self) -> Iterator[tuple[str, int]]:
        for run in hadoop_files.children(self.spark, self.folder):
            for step in hadoop_files.children(self.spark, f"{self.folder}/{run.name}"):
                if step.name.isdigit():
                    yield run.name, int(step.name)

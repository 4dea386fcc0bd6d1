"""Where a long vote stands: the state after each superstep, kept until its result is in the lake.

One Parquet folder per superstep, `<folder>/<run>/<superstep>`; Spark's `_SUCCESS` says that it is whole. A run that
goes on with the same work reads the last whole one of any run that was killed, and writes beside it, never over it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from facesieve.cluster.supersteps import Kept
from facesieve.lake import hadoop_files

_HISTORY = "facesieve.history"
_OLD = timedelta(days=7)
_KEPT = 2
"""Supersteps kept: the one that is read while the next is written."""


@dataclass
class Progress:
    """The states of one vote under one folder, as this run writes and any run reads them."""

    spark: SparkSession
    folder: str
    run: str

    def keep(self, step: int, state: DataFrame, history: list[int]) -> DataFrame:
        """Write the state after a superstep, which cuts its lineage, and return it as it is read back."""
        path = self._path(self.run, step)
        first, *others = state.columns
        told = F.col(first).alias(first, metadata={_HISTORY: json.dumps(history)})
        state.select(told, *others).write.mode("overwrite").parquet(path)
        hadoop_files.delete(self.spark, self._path(self.run, step - _KEPT))
        return self.spark.read.schema(state.schema).parquet(path)

    def last(self) -> Kept | None:
        """Return the last superstep that any run has kept whole."""
        paths = {(step, run): self._path(run, step) for run, step in self._steps()}
        whole = [each for each, path in paths.items() if hadoop_files.exists(self.spark, f"{path}/_SUCCESS")]
        if not whole:
            return None
        step, run = max(whole)
        state = self.spark.read.parquet(self._path(run, step))
        history = json.loads(state.schema[0].metadata[_HISTORY])
        return Kept(step, history, state)

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

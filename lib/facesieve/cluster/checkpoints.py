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
from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from facesieve.cluster.frames import VoteState

_HISTORY = "facesieve.history"
_OLD = timedelta(days=7)
_STORED = 2
"""Supersteps stored: the one that is read while the next is written."""


@dataclass(frozen=True)
class Checkpoint:
    """The state after a superstep, and the unsettled vertices at the begin of each superstep before that one."""

    step: int
    history: list[int]
    state: VoteState


@dataclass
class Checkpoints:
    """The states of one vote under one folder, as this run writes and any run reads them."""

    spark: SparkSession
    folder: str
    run: str

    def write(self, step: int, state: VoteState, history: list[int]) -> VoteState:
        """Write the state after a superstep, which cuts its lineage, and return the state as it is read back."""
        path = self._path(self.run, step)
        first, *others = state.columns
        with_history = F.col(first).alias(first, metadata={_HISTORY: json.dumps(history)})
        state.select(with_history, *others).write.mode("overwrite").parquet(path)
        self._delete(self._path(self.run, step - _STORED))
        return VoteState(self.spark.read.schema(state.schema).parquet(path))

    def last(self) -> Checkpoint | None:
        """Return the last superstep that any run has written whole."""
        whole = [(step, run) for run, step in self._steps() if self._exists(f"{self._path(run, step)}/_SUCCESS")]
        if not whole:
            return None
        step, run = max(whole)
        state = self.spark.read.parquet(self._path(run, step))
        history = json.loads(state.schema[0].metadata[_HISTORY])
        return Checkpoint(step, history, VoteState(state))

    def clear(self) -> None:
        """Delete the states, also those of runs that were killed."""
        self._delete(self.folder)

    def clear_old(self) -> None:
        """Delete the folders beside this one that nobody has touched for `_OLD`: no run goes on with them."""
        if not self._exists(self._beside):
            return
        path = self._jvm_path(self._beside)
        oldest = 1_000 * (time.time() - _OLD.total_seconds())
        for status in self._files(path).listStatus(path):
            if status.getModificationTime() < oldest:
                self._delete(status.getPath().toString())

    @property
    def _beside(self) -> str:
        return self.folder.rpartition("/")[0]

    def _path(self, run: str, step: int) -> str:
        return f"{self.folder}/{run}/{step:06d}"

    def _steps(self) -> Iterator[tuple[str, int]]:
        for run in self._children(self.folder):
            for name in self._children(f"{self.folder}/{run}"):
                if name.isdigit():
                    yield run, int(name)

    def _children(self, place: str) -> list[str]:
        if not self._exists(place):
            return []
        path = self._jvm_path(place)
        return [str(status.getPath().getName()) for status in self._files(path).listStatus(path)]

    def _exists(self, place: str) -> bool:
        path = self._jvm_path(place)
        return bool(self._files(path).exists(path))

    def _delete(self, place: str) -> None:
        path = self._jvm_path(place)
        self._files(path).delete(path, True)

    def _jvm_path(self, place: str) -> Any:
        return self.spark.sparkContext._gateway.jvm.org.apache.hadoop.fs.Path(place)  # type: ignore[union-attr]

    def _files(self, path: Any) -> Any:
        return path.getFileSystem(self.spark.sparkContext._jsc.hadoopConfiguration())

"""What runs that were killed have left in the scratch folder: checkpoints of Spark, and states of votes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial

from pyspark.sql import SparkSession

from facesieve.core.sections import Lake
from facesieve.lake import hadoop_files
from facesieve.lake.hadoop_files import Child
from facesieve.lake.session import scratch

SUPERSTEPS = "supersteps"
"""The folder of the votes' states, below the scratch folder."""

_CHECKPOINTS = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_CHECKPOINT = re.compile(r"rdd-\d+")
_VOTE = re.compile(r"[0-9a-f]{24}-\d+.*")
_VOTE_AGE = timedelta(days=7)
"""So long a vote that was killed can be gone on with."""


def leftovers(spark: SparkSession, lake: Lake, now: datetime, longest_run: timedelta) -> list[str]:
    """Return the folders there that no run goes on with: untouched for `longest_run`, a vote's for a week.

    Others may have folders there with names as Spark gives them. So a folder of checkpoints holds nothing else.
    """
    folder = scratch(lake)
    mine = (spark.sparkContext.getCheckpointDir() or "").rstrip("/").rpartition("/")[2]
    checkpoints = filter(partial(_only_checkpoints, spark), _old(spark, folder, _CHECKPOINTS, now - longest_run))
    votes = _old(spark, f"{folder}/{SUPERSTEPS}", _VOTE, now - max(longest_run, _VOTE_AGE))
    return [*(place for place in checkpoints if not place.endswith(f"/{mine}")), *votes]


def _old(spark: SparkSession, folder: str, names: re.Pattern[str], before: datetime) -> Iterator[str]:
    """Yield what lies in a folder under a name of ours and was last changed earlier."""
    for child in hadoop_files.children(spark, folder):
        place = f"{folder}/{child.name}"
        if names.fullmatch(child.name) and _changed(spark, place, child) < before.timestamp():
            yield place


def _changed(spark: SparkSession, place: str, child: Child) -> float:
    newest = hadoop_files.newest(spark, place)
    return child.modified if newest is None else newest


def _only_checkpoints(spark: SparkSession, place: str) -> bool:
    return all(_CHECKPOINT.fullmatch(child.name) for child in hadoop_files.children(spark, place))

"""What runs that were killed have left in the scratch folder: checkpoints of Spark, and states of votes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from pyspark.sql import SparkSession

from facesieve.core.sections import Lake
from facesieve.lake import hadoop_files
from facesieve.lake.session import scratch

SUPERSTEPS = "supersteps"
"""The folder of the votes' states, below the scratch folder."""

_CHECKPOINTS = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_VOTE = re.compile(r"[0-9a-f]{24}-\d+.*")
_VOTE_AGE = timedelta(days=7)
"""So long a vote that was killed can be gone on with."""


def leftovers(spark: SparkSession, lake: Lake, now: datetime, longest_run: timedelta) -> list[str]:
    """Return the folders there that no run goes on with: untouched for `longest_run`, a vote's for a week."""
    folder = scratch(lake)
    mine = (spark.sparkContext.getCheckpointDir() or "").rstrip("/").rpartition("/")[2]
    checkpoints = _old(spark, folder, _CHECKPOINTS, now - longest_run)
    votes = _old(spark, f"{folder}/{SUPERSTEPS}", _VOTE, now - max(longest_run, _VOTE_AGE))
    return [*(place for place in checkpoints if not place.endswith(f"/{mine}")), *votes]


def _old(spark: SparkSession, folder: str, names: re.Pattern[str], before: datetime) -> Iterator[str]:
    """Yield what lies in a folder under a name of ours and was last changed earlier."""
    for child in hadoop_files.children(spark, folder):
        if names.fullmatch(child.name) and child.modified < before.timestamp():
            yield f"{folder}/{child.name}"

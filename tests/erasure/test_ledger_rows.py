"""The ledger keeps its rows, and loses the subject."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from pyspark.sql import SparkSession

from facesieve.core.tables import RUNS
from facesieve.erasure.ledger_rows import without_names
from facesieve.erasure.rebase import Rows
from facesieve.erasure.subject import Subject

SUBJECT = Subject(images=(71_234,), uris=("ann/1.jpg",), digests=("ab" * 32,), names=("ann", "done", "07", "faces"))


def test_records_lose_names_and_ids_and_tell_the_new_versions(spark: SparkSession) -> None:
    record: dict[str, Any] = {
        "run": "r",
        "after": {"edges": 5, "votes": 6},
        "started": "2026-11-30T07:09:00",
        "status": "done",
        "acts": [{"what": "done", "at": "2026-11-30T07:09:01", "basis": "ann asked", "operator": "desk 4"}],
        "config": {"images": {"root": "/ann/faces"}, "run": {"basis": "ann asked"}},
        "stages": {"listing": {"state": "digest", "new": 3}, "publish": {"example": 71_234}},
        "warnings": ["such as ann", "ann/1.jpg cannot be read", "image 71234", "bob/1.jpg", "mary ann"],
    }
    now = datetime(2026, 5, 3, tzinfo=UTC)
    rows = [("r", "done", now, now, {"edges": 4}, {"edges": 5, "votes": 6}, json.dumps(record))]
    row = without_names(Rows(spark.createDataFrame(rows, RUNS.columns)), SUBJECT, {5: 50}, ["mary ann"]).collect()[0]
    assert (row.run, row.status, row.before, row.after) == ("r", "done", {"edges": 4}, {"edges": 50, "votes": 6})
    assert json.loads(row.record) == {
        **record,
        "after": row.after,
        "acts": [record["acts"][0] | {"basis": "(erased) asked"}],
        "config": {"images": {"root": "/ann/faces"}, "run": {"basis": "(erased) asked"}},
        "stages": {"listing": {"state": None, "new": 3}, "publish": {"example": None}},
        "warnings": ["such as (erased)", "(erased) cannot be read", "image (erased)", "bob/1.jpg", "mary ann"],
    }

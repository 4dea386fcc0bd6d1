"""What is due: images by their dates, exports but the current one, rows of the ledger that nobody needs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import erasable
import lapsed
from pyspark.sql import SparkSession

from facesieve.core.config import Config
from facesieve.core.sections import Publish
from facesieve.core.side_sections import Retention
from facesieve.erasure.due import Due, due_of
from facesieve.lake.catalog import Lake

NOW = datetime.now(UTC)


def test_images_are_due_when_their_days_are_over(spark: SparkSession, lapsed_lake: Lake) -> None:
    def after(days: int, **keys: int) -> list[list[int]]:
        job = lapsed.job_on(spark, lapsed_lake, replace(Config(), retention=Retention(**keys)))
        due = due_of(job, NOW + timedelta(days=days))
        return [[erasable.small(image) for image in ids] for ids in (due.gone, due.rejects, due.unclustered)]

    keys = {"gone_days": 30, "reject_days": 10, "unclustered_days": 40}
    assert after(20, **keys) == [[], [7], []]
    assert after(41, **keys) == [[1], [7], [2]]
    assert after(41, gone_days=30) == [[1], [7], []], "a reject that is gone is an image that is gone"


def test_exports_and_rows_of_the_ledger(spark: SparkSession, lapsed_lake: Lake, tmp_path: Path) -> None:
    for run, days in (("old", 90), ("last", 60), ("young", 1), ("named", 90)):
        lapsed.export(tmp_path, run, at=NOW - timedelta(days=days))
    (tmp_path / "CURRENT").write_text("named\n")
    (tmp_path / "other").mkdir()

    def due(**keys: int) -> Due:
        config = replace(Config(), retention=Retention(**keys), publish=Publish(export_root=str(tmp_path)))
        return due_of(lapsed.job_on(spark, lapsed_lake, config), NOW)

    root = str(tmp_path)
    assert due(export_days=70).exports == ((root, "old"),)
    assert due(export_days=30, run_days=30) == Due(exports=((root, "last"), (root, "old")), runs=("old", "audit"))
    assert due(run_days=30).runs == ("audit",), "the run of an export that stays, a maker and the newest run stay"
    assert due(run_days=75, export_days=30).runs == ("old",)
    assert due() == Due()

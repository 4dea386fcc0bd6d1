"""While an erasure is under way, other jobs refuse."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from small_lake import small_lake

from facesieve.core import tables
from facesieve.core.errors import Refused
from facesieve.erasure import journal, mark
from facesieve.erasure.journal import Journal
from facesieve.erasure.subject import Subject


def test_other_jobs_refuse_until_the_end(spark: SparkSession, tmp_path: Path) -> None:
    lake, place = small_lake(spark), str(tmp_path)
    assert mark.under_way(spark, lake) == "", "there is no ledger"
    lake.open(tables.RUNS)
    mark.refuse_beside(spark, lake)
    mark.begin(spark, lake, place)
    assert mark.under_way(spark, lake) == place
    with pytest.raises(Refused, match="an erasure of this lake is under way"):
        mark.refuse_beside(spark, lake)
    mark.end(spark, lake)
    mark.end(spark, lake)
    mark.refuse_beside(spark, lake)


def test_a_kill_between_the_end_and_the_journal_is_made_good(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake, place = small_lake(spark), str(tmp_path)
    lake.open(tables.RUNS)
    journal.write(place, Journal("e", "choice", "2026-05-03", Subject((1,))))
    mark.begin(spark, lake, place)
    with monkeypatch.context() as killed:
        killed.setattr(journal, "delete", None)
        with pytest.raises(TypeError):
            mark.end(spark, lake)
    mark.refuse_beside(spark, lake)
    assert list(tmp_path.iterdir()), "the ids are still there"
    mark.tidy(spark, lake)
    assert not list(tmp_path.iterdir())
    mark.tidy(spark, lake)

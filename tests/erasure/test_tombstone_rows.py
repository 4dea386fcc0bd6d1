"""Tombstones are written once, and forgotten when they are too old."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import erasable
from pyspark.sql import SparkSession
from small_lake import small_lake

from facesieve.core import tables
from facesieve.core.config import Config
from facesieve.core.side_sections import Erase
from facesieve.embed.chunks.erased import tombstones
from facesieve.erasure.journal import Journal
from facesieve.erasure.tombstone_rows import bury
from facesieve.lake.ledger import Ledger
from facesieve.lake.side_job import SideJob


def test_tombstones_are_written_once_and_forgotten_in_time(spark: SparkSession, tmp_path: Path) -> None:
    lake, key = small_lake(spark), str(tmp_path / "key")
    config = Config(erase=Erase(key_file=key))
    job = SideJob(config, spark, lake, Ledger(spark, lake, "", config, ""))
    old = Journal("e1", "", "2001-05-03T00:00:00+00:00", erasable.SUBJECT, by="me", basis="request")
    assert not tombstones(lake, key).hashes
    for _ in range(2):
        bury(job, old)
    rows = lake.read(tables.ERASED, lake.snapshot(tables.ERASED)).collect()
    assert sorted(row.kind for row in rows) == ["content"] * 2 + ["image"] * 3
    assert {(row.by, row.basis, row.run) for row in rows} == {("me", "request", "e1")}
    assert len(job.warnings) == 1
    assert "is the new key of the tombstones" in job.warnings[0]
    erased = tombstones(lake, key)
    known = [erased.block(erasable.FROM + 1, None), erased.block(0, "02" * 32), erased.block(3, "03" * 32)]
    assert known == [True, True, False]
    bury(replace(job, config=Config(erase=Erase(key_file=str(tmp_path / "none")))), replace(old, buried=()))
    assert not (tmp_path / "none").exists(), "nothing is buried, so that no key is needed"
    young = Journal("e2", "", "2026-05-03T00:00:00+00:00", replace(erasable.SUBJECT, images=(9,), digests=()))
    bury(replace(job, config=Config(erase=Erase(key_file=key, tombstone_days=3_650))), young)
    assert [row.run for row in lake.read(tables.ERASED, lake.snapshot(tables.ERASED)).collect()] == ["e2"]

"""Tombstones are written once, and forgotten when they are too old."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import erasable
import lapsed
import numpy as np
import pytest
from pyspark.sql import SparkSession
from small_lake import small_lake

from facesieve.core import tables
from facesieve.core.config import Config
from facesieve.core.errors import ConfigError
from facesieve.core.ids import keyed_hash
from facesieve.core.side_sections import Erase
from facesieve.core.tombstones import made_key
from facesieve.embed.chunks.erased import tombstones
from facesieve.erasure.choice import Choice, choose
from facesieve.erasure.journal import Journal
from facesieve.erasure.probe import Probe
from facesieve.erasure.selectors import Selectors
from facesieve.erasure.tombstone_rows import bury
from facesieve.lake.catalog import Stamp
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
    assert sorted(row.kind for row in rows) == ["content"] * 2 + ["image"] * 3 + ["key"]
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
    assert [row.run for row in lake.read(tables.ERASED, lake.snapshot(tables.ERASED)).collect()] == ["e2"] * 2, (
        "a stone and the mark of the key"
    )


def test_without_the_key_of_the_tombstones_nothing_more_is_erased(spark: SparkSession, tmp_path: Path) -> None:
    lake, first, other = small_lake(spark), str(tmp_path / "first"), str(tmp_path / "other")
    stone = Journal("e1", "", "2026-05-03T00:00:00+00:00", replace(erasable.SUBJECT, images=(9,), digests=()))

    def job_with(key: str) -> SideJob:
        return lapsed.job_on(spark, lake, Config(erase=Erase(key_file=key)))

    anybody = Choice(Selectors(identity=("ann",)), Probe())
    applied = replace(anybody, applied=True)
    choose(job_with(first), applied, "")
    bury(job_with(first), stone)
    with pytest.raises(ConfigError, match=r"erase\.key_file: .*other cannot be read"):
        choose(job_with(other), applied, "")
    with pytest.raises(ConfigError, match=r"erase\.key_file: .*other cannot be read"):
        bury(job_with(other), stone)
    assert not (tmp_path / "other").exists(), "no other key is made beside tombstones"
    made_key(other)
    for asks in (choose, lambda job, _choice, _file: bury(job, stone)):
        with pytest.raises(ConfigError, match="is not the key of this lake's tombstones"):
            asks(job_with(other), applied, "")
    with pytest.raises(ConfigError, match="is not the key of this lake's tombstones"):
        tombstones(lake, other)
    choose(job_with(other), anybody, "")
    choose(job_with(first), applied, "")
    rows = lake.read(tables.ERASED, lake.snapshot(tables.ERASED)).where("kind != 'key'")
    lake.overwrite(tables.ERASED, rows.coalesce(1), Stamp("", "older", {}), lake.snapshot(tables.ERASED))
    choose(job_with(other), applied, "")


def test_near_copies_of_pictures_are_known_where_that_is_asked_for(spark: SparkSession, tmp_path: Path) -> None:
    lake, key = small_lake(spark), str(tmp_path / "key")
    config = Config(erase=Erase(key_file=key, block_similar=True))
    job = SideJob(config, spark, lake, Ledger(spark, lake, "", config, ""))
    chance = np.random.default_rng(1)
    whole, turned = chance.bytes(64), chance.bytes(96)
    pictures = [erasable.face(1) | {"phash": whole, "turned_phash": turned}, erasable.face(2), erasable.face(3)]
    erasable.put(spark, lake, tables.EMBEDDINGS, pictures)
    bury(job, Journal("r1", "", "2026-05-03T00:00:00+00:00", erasable.SUBJECT, buried=(erasable.FROM + 1,)))
    assert not tombstones(lake, key).similar.bands, "retention blocks no copies"
    spark.sql(f"ALTER TABLE {lake.name_of(tables.ERASED)} DROP COLUMN bands")  # as a lake of before has it
    for name in ("e1", "e2"):
        bury(job, Journal(name, "", "2026-05-03T00:00:00+00:00", erasable.SUBJECT))
        erasable.put(spark, lake, tables.EMBEDDINGS, pictures[2:])
    rows = [row for row in lake.read(tables.ERASED, lake.snapshot(tables.ERASED)).collect() if row.kind == "similar"]
    assert [(row.run, len(row.bands)) for row in rows] == [("e1", 16)] * 4, "those of a killed erasure stay"
    assert keyed_hash(bytes.fromhex(Path(key).read_text()), "similar", whole[:32].hex()) in {row.hash for row in rows}
    similar = tombstones(lake, key).similar
    assert all(similar.resembles(each) for each in (whole[:32], turned[:32], turned[32:64], turned[64:]))
    assert not similar.resembles(whole[32:])

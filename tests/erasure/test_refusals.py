"""What an erasure does not begin beside, and that it does not begin without what opens names and paths."""

from __future__ import annotations

import json
from argparse import Namespace
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import erasable
import lapsed
import pytest
from pyspark.sql import SparkSession
from small_lake import small_lake

from facesieve.core import sections, tables
from facesieve.core.config import Config
from facesieve.core.errors import ConfigError, Refused
from facesieve.core.hidden_paths import PathSeal
from facesieve.core.pseudonyms import VARIABLE, fingerprint, pseudonym
from facesieve.erasure.choice import Choice, choose
from facesieve.erasure.probe import Probe
from facesieve.erasure.refusals import refuse_running, refuse_shared, refuse_unopened
from facesieve.erasure.retain import retain
from facesieve.erasure.selectors import Selectors
from facesieve.lake.catalog import Lake
from facesieve.lake.records import ListingRecord
from facesieve.lake.side_job import SideJob


@pytest.fixture(scope="module")
def job(spark: SparkSession) -> SideJob:
    job = lapsed.job_on(spark, small_lake(spark), Config())
    job.lake.open(tables.EDGES)
    return job


def test_nothing_stands_in_the_way(job: SideJob) -> None:
    refuse_running(job)
    refuse_shared(job)


def test_a_table_that_may_share_its_files_is_refused(job: SideJob) -> None:
    job.spark.sql(f"ALTER TABLE {job.lake.name_of(tables.EDGES)} SET TBLPROPERTIES ('gc.enabled' = 'false')")
    with pytest.raises(Refused, match=r"gc\.enabled = false, so other tables may share their files: edges\."):
        refuse_shared(job)


def test_a_run_at_work_is_refused(job: SideJob) -> None:
    job.ledger.run = "r1"
    job.ledger.open({})
    with pytest.raises(Refused, match=r"runs are at work, or were killed: r1\. Nothing was erased"):
        refuse_running(job)


KEY, OTHER = b"k" * 32, b"o" * 32
HIDDEN = {"store_names": False, "store_paths": False}


def listed_with(spark: SparkSession, seal: PathSeal | None) -> SideJob:
    """A lake whose listing bears pseudonyms; with paths as they are its run recorded the fingerprint of the key."""
    job = lapsed.job_on(spark, small_lake(spark), Config())
    images = [erasable.image(number) for number in (1, 3)]
    hidden = [each | {"identity": pseudonym(KEY, each["identity"])} for each in images]
    rows = [each | {"uri": seal.hide(each["uri"]) if seal else each["uri"]} for each in hidden]
    erasable.put(spark, job.lake, tables.LISTING, rows)
    record = {
        "run": "made",
        "stages": {"listing": ListingRecord(names_key=None if seal else fingerprint(KEY)).to_json()},
    }
    row = {"run": "made", "status": "done", "before": {}, "after": {}, "record": json.dumps(record)}
    erasable.put(spark, job.lake, tables.RUNS, [row | {"started": datetime.now(UTC)}])
    return job


@pytest.fixture(scope="module")
def sealed(spark: SparkSession) -> SideJob:
    return listed_with(spark, PathSeal(KEY))


@pytest.fixture(scope="module")
def pseudonymous(spark: SparkSession) -> SideJob:
    return listed_with(spark, None)


def refused(job: SideJob, key: bytes | None, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> list[str]:
    """Return the keys of the configuration that are at fault with such settings."""
    monkeypatch.setenv(VARIABLE, (key or b"").decode())
    try:
        refuse_unopened(replace(job, config=Config(lake=sections.Lake(**settings))))
    except ConfigError as problem:
        return [fault.key for fault in problem.faults]
    return []


def test_hidden_paths_are_opened_by_their_key_alone(sealed: SideJob, monkeypatch: pytest.MonkeyPatch) -> None:
    assert refused(sealed, KEY, monkeypatch, **HIDDEN) == []
    assert refused(sealed, OTHER, monkeypatch, **HIDDEN) == ["lake.names_key"]
    assert refused(sealed, None, monkeypatch, **HIDDEN) == ["lake.names_key"]
    assert refused(sealed, KEY, monkeypatch) == ["lake.store_names", "lake.store_paths"]
    assert refused(sealed, KEY, monkeypatch, store_names=False) == ["lake.store_paths"]


def test_pseudonyms_are_known_by_the_fingerprint_of_their_key(
    pseudonymous: SideJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert refused(pseudonymous, KEY, monkeypatch, store_names=False) == []
    assert refused(pseudonymous, OTHER, monkeypatch, store_names=False) == ["lake.names_key"]
    assert refused(pseudonymous, KEY, monkeypatch) == ["lake.store_names"]


def test_names_and_paths_as_they_are_need_no_key(
    job: SideJob, lapsed_lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = replace(job, lake=lapsed_lake)
    assert [refused(each, None, monkeypatch, **HIDDEN) for each in (job, stored)] == [[], []]


def test_all_three_jobs_refuse(sealed: SideJob, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, OTHER.decode())
    other = replace(sealed, config=Config(lake=sections.Lake(store_names=False, store_paths=False)))
    with pytest.raises(
        ConfigError, match=r"lake\.names_key: is not the key of the names and paths in the tables\. Give"
    ):
        choose(other, Choice(Selectors(image_id=(7,)), Probe()), "")
    with pytest.raises(ConfigError, match=r"lake\.names_key"):
        retain(other, Namespace(apply=False))

"""What an erasure does not begin beside."""

from __future__ import annotations

import lapsed
import pytest
from pyspark.sql import SparkSession
from small_lake import small_lake

from facesieve.core import tables
from facesieve.core.config import Config
from facesieve.core.errors import Refused
from facesieve.erasure.refusals import refuse_running, refuse_shared
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

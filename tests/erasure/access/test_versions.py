"""Where a person is: an image that is gone is in the versions, and not in what stands."""

from __future__ import annotations

import erasable
import lapsed
from pyspark.sql import SparkSession

from facesieve.core.config import Config
from facesieve.erasure.access.versions import exports_of, runs_of, versions_of
from facesieve.erasure.subject import Subject
from facesieve.lake.catalog import Lake

FROM = erasable.FROM


def test_a_gone_image_is_in_former_versions_alone(spark: SparkSession, lapsed_lake: Lake) -> None:
    job = lapsed.job_on(spark, lapsed_lake, Config())
    gone = Subject(images=(FROM + 7,), uris=("dan/7.jpg",))
    versions = versions_of(job, gone)
    assert set(versions) == {"listing", "rejects"}
    assert (versions["listing"]["rows"], [each["rows"] for each in versions["listing"]["versions"]]) == (0, [1])
    assert versions["rejects"]["rows"] == 1
    assert [(run["run"], run["sure"]) for run in runs_of(job, versions)] == [("old", False)], "its listing lacks 7"
    assert exports_of(job, gone) == []

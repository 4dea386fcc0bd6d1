"""While an erasure is under way, other jobs refuse."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession
from small_lake import small_lake

from facesieve.core import tables
from facesieve.core.errors import Refused
from facesieve.erasure import mark


def test_other_jobs_refuse_until_the_end(spark: SparkSession) -> None:
    lake = small_lake(spark)
    assert mark.under_way(spark, lake) == "", "there is no ledger"
    lake.open(tables.RUNS)
    mark.refuse_beside(spark, lake)
    mark.begin(spark, lake, "/scratch")
    assert mark.under_way(spark, lake) == "/scratch"
    with pytest.raises(Refused, match="an erasure of this lake is under way"):
        mark.refuse_beside(spark, lake)
    mark.end(spark, lake)
    mark.end(spark, lake)
    mark.refuse_beside(spark, lake)

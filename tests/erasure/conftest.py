"""A lake in which time has passed, made once for all tests that only look at it."""

from __future__ import annotations

import lapsed
import pytest
from pyspark.sql import SparkSession

from facesieve.lake.catalog import Lake


@pytest.fixture(scope="session")
def lapsed_lake(spark: SparkSession) -> Lake:
    return lapsed.lapsed_lake(spark)

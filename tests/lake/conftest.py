"""The lake that a test of this room writes to."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession
from small_lake import small_lake

from facesieve.core import tables
from facesieve.lake.catalog import Lake


@pytest.fixture
def lake(spark: SparkSession) -> Lake:
    empty = small_lake(spark)
    empty.open(tables.EDGES)
    return empty

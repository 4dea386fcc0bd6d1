"""Fixtures of all tests of exports."""

from __future__ import annotations

import pytest
from exported import cleaned_table, write_sources
from pyspark.sql import SparkSession

from facesieve.core.tables import Cleaned
from facesieve.images.storage import Storage


@pytest.fixture(scope="session")
def cleaned(spark: SparkSession) -> Cleaned:
    return cleaned_table(spark)


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Storage:
    return write_sources(str(tmp_path_factory.mktemp("source")))

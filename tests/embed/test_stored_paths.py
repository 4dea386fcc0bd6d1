"""Paths that tell a name are counted, and archives whose paths cannot be hidden are refused."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from facesieve.core.errors import ConfigError
from facesieve.embed.stored_paths import names_in_paths, refuse_archives
from facesieve.images.protocol import SourceImages


@pytest.mark.spark
def test_paths_that_hold_the_name_of_their_person_are_counted(spark: SparkSession) -> None:
    rows = [
        ("lake/Ann Lee/1.jpg", "Ann Lee"),
        ("lake/ANN LEE/2.jpg", "Ann Lee"),
        ("lake/00017/3.jpg", "Ann Lee"),
        ("lake/bo/4.jpg", "bo"),
        ("lake/Bea/5.jpg", None),
    ]
    images = spark.createDataFrame(rows, "uri string, identity string")
    assert names_in_paths(SourceImages(images)) == 2
    assert names_in_paths(SourceImages(images.limit(0))) == 0


def test_archives_are_refused_and_files_are_not() -> None:
    refuse_archives(0)
    with pytest.raises(ConfigError, match=r"lake\.store_paths.*2 archives"):
        refuse_archives(2)

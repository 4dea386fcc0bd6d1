from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from facesieve.core.errors import InvariantError
from facesieve.embed.chunks.accounts import Accounts, accounts
from facesieve.embed.chunks.vectors import SCALED
from facesieve.embed.embeddings import Outcomes

ROWS = [
    ("a", None, None),
    ("a", None, None),
    ("b", None, SCALED),
    ("c", "unread", "it has changed since it was listed"),
    ("d", "undecodable", "x"),
]


def test_images_are_counted_once_and_all_must_come_back(spark: SparkSession) -> None:
    outcomes = Outcomes(spark.createDataFrame(ROWS, "uri string, reason string, detail string"))
    assert accounts(4, outcomes) == Accounts(unread=1, scaled=1)
    with pytest.raises(InvariantError, match="5 images were given to the workers, 4 came back"):
        accounts(5, outcomes)


def test_counts_of_chunks_add_up() -> None:
    assert Accounts(1, 2).plus(Accounts(10, 20)) == Accounts(11, 22)

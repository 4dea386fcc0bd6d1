"""What is said of the images since the last listing."""

from __future__ import annotations

from pyspark.sql import SparkSession

from facesieve.core.tables import Listing
from facesieve.embed.listing_stage import Since, since_last

COLUMNS = "uri string, sha256 string"


def test_new_gone_and_changed_images_are_counted(spark: SparkSession) -> None:
    former = [("same", "1"), ("other", "2"), ("unread then", None), ("unread", None), ("gone", "3"), ("left", None)]
    listed = [("same", "1"), ("other", "9"), ("unread then", "4"), ("unread", None), ("new", "3")]
    now, then = (Listing(spark.createDataFrame(rows, COLUMNS)) for rows in (listed, former))
    assert since_last(now, then) == Since(new=1, gone=2, changed=2)
    assert since_last(now, Listing(then.limit(0))) == Since(new=5, gone=0, changed=0)

"""Side inputs joined to images."""

from __future__ import annotations

from deciding import rows_of
from pyspark.sql import SparkSession

from facesieve.core.tables import LISTING
from facesieve.decide.inputs import OVERLAPS, OVERRIDES, ListedImages, Overlaps, Overrides, SideInputs


def test_verdicts_and_overlaps_come_beside_their_images(spark: SparkSession) -> None:
    listed = [{"image_id": number, "identity": "ann"} for number in (1, 2, 3, 4)]
    images = ListedImages(rows_of(spark, LISTING.columns, listed))
    verdicts = [(1, "move", "bob"), (2, "move", "ann"), (9, "drop", None)]
    sides = SideInputs(
        Overrides(spark.createDataFrame(verdicts, OVERRIDES)), Overlaps(spark.createDataFrame([(3, 0.5)], OVERLAPS))
    )
    names = ("image_id", "override", "override_to", "overlap", "overlap_cosine")
    assert sorted(map(tuple, sides.join(images).select(*names).collect())) == [
        (1, "move", "bob", False, None),
        (2, "keep", None, False, None),  # it is there already
        (3, None, None, True, 0.5),
        (4, None, None, False, None),
    ]
    nothing = SideInputs().join(ListedImages(images.where("image_id = 1"))).select(*names).collect()
    assert list(map(tuple, nothing)) == [(1, None, None, False, None)]

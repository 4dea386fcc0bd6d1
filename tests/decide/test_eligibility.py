"""Failures and copies, before any cluster is asked; people's verdicts settle which copy counts."""

from __future__ import annotations

from deciding import Face, Photo, inputs
from pyspark.sql import SparkSession

from facesieve.core.sections import Decide
from facesieve.decide.eligibility import ELIGIBLE, eligibility
from facesieve.decide.inputs import OVERLAPS, OVERRIDES, Overlaps, Overrides, SideInputs


def photo(uri: str, content: str, identity: str | None = "ann") -> Photo:
    return Photo(uri, identity, (Face(),), content)


PHOTOS = [
    Photo("broken.jpg", "ann", (), reject="undecodable"),
    photo("a/1.jpg", "a"),
    photo("a/2.jpg", "a", None),
    photo("b/1.jpg", "b"),
    photo("b/2.jpg", "b", "bob"),
    photo("c/1.jpg", "c"),
    photo("c/2.jpg", "c", "bob"),
    photo("d/1.jpg", "d"),
    photo("d/2.jpg", "d"),
    photo("e/1.jpg", "e"),
    photo("e/2.jpg", "e"),
]
VERDICTS = {"c/2.jpg": "keep", "d/1.jpg": "drop"}


def test_which_copy_counts(spark: SparkSession) -> None:
    verdicts = [(each.image_id, VERDICTS[each.uri], None) for each in PHOTOS if each.uri in VERDICTS]
    overlaps = [(each.image_id, 0.5) for each in PHOTOS if each.uri == "e/1.jpg"]
    sides = SideInputs(
        Overrides(spark.createDataFrame(verdicts, OVERRIDES)), Overlaps(spark.createDataFrame(overlaps, OVERLAPS))
    )
    faces = eligibility(inputs(spark, PHOTOS, side_inputs=sides), Decide())
    assert [(field.name, field.dataType) for field in faces.schema] == [(f.name, f.dataType) for f in ELIGIBLE]
    rows = {row.uri: row for row in faces.collect()}
    doubtful = {uri: (row.failure, row.two_identities, row.duplicate) for uri, row in rows.items() if not row.undecided}
    assert doubtful == {
        "broken.jpg": ("undecodable", False, False),
        "a/2.jpg": (None, False, True),
        "b/1.jpg": (None, True, False),
        "b/2.jpg": (None, True, True),
        "c/1.jpg": (None, False, True),  # a person keeps the other one
        "e/1.jpg": (None, False, True),  # an overlap: its copy counts
    }
    keepers = {each.image_id: each.uri for each in PHOTOS}
    assert keepers[rows["a/2.jpg"].keeper] == "a/1.jpg"
    assert keepers[rows["c/1.jpg"].keeper] == "c/2.jpg"
    counted = {uri for uri, row in rows.items() if row.counted}
    assert counted == {"a/1.jpg", "c/2.jpg", "d/2.jpg", "e/2.jpg"}

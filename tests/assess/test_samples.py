"""Which faces a model is calibrated from: the largest of each image, copies once, no identity too often."""

from __future__ import annotations

from collections import Counter

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from facesieve.assess.samples import NAMED_FACES, NamedFaces, named_faces, sample_by_identity
from facesieve.core.tables import Embeddings, Listing

LISTED = [(10, "Ann"), (11, "Ann"), (12, "Ann"), (20, "Bob"), (30, None)]
EMBEDDED = [
    # image_id, face_id, face_rank, sha256
    (10, 1, 0, "x"),
    (10, 2, 1, "x"),
    (11, -3, 0, "x"),
    (12, 4, 0, "y"),
    (20, 5, 0, "x"),
    (30, 6, 0, "z"),
    (99, 7, 0, "w"),
]


@pytest.fixture(scope="module")
def crowd(spark: SparkSession) -> NamedFaces:
    """Person number p has p faces, p from 1 to 9."""
    rows = [(100 * person + face, f"p{person}") for person in range(1, 10) for face in range(person)]
    return NamedFaces(spark.createDataFrame(rows, NAMED_FACES).persist())


def test_the_largest_face_of_an_image_counts_and_copies_in_one_folder_count_once(spark: SparkSession) -> None:
    listing = Listing(spark.createDataFrame(LISTED, "image_id long, identity string"))
    columns = "image_id long, face_id long, face_rank int, sha256 string"
    embeddings = Embeddings(spark.createDataFrame(EMBEDDED, columns))
    named = named_faces(listing, embeddings)
    assert [(field.name, field.dataType) for field in named.schema] == [
        (field.name, field.dataType) for field in NAMED_FACES
    ]
    assert sorted(tuple(row) for row in named.collect()) == [(-3, "Ann"), (4, "Ann"), (5, "Bob")]


def test_a_sample_is_bounded_by_identities_and_by_faces_of_each(crowd: NamedFaces) -> None:
    sample = sample_by_identity(crowd, 4, 3, 2)
    sizes = Counter(row["identity"] for row in sample.collect())
    assert len(sizes) == 4
    assert all(sizes[name] == min(3, int(name[1:])) and name != "p1" for name in sizes)
    everybody = Counter(row["identity"] for row in sample_by_identity(crowd, 99, 99, 1).collect())
    assert everybody == {f"p{person}": person for person in range(1, 10)}


def test_the_layout_of_the_faces_does_not_show(crowd: NamedFaces) -> None:
    samples = [
        sorted(tuple(row) for row in sample_by_identity(NamedFaces(laid_out), 4, 3, 2).collect())
        for laid_out in (crowd, crowd.repartition(7, F.rand(2)))
    ]
    assert samples[0] == samples[1]

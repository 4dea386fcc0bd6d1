"""Who is meant: in any version, with all copies, and the names that nobody else bears."""

from __future__ import annotations

from dataclasses import replace

import erasable
import pytest
from pyspark.sql import SparkSession

from facesieve.core import tables
from facesieve.core.errors import Refused
from facesieve.erasure.selection import subject_of, tips
from facesieve.erasure.selectors import Selectors
from facesieve.erasure.subject import Subject
from facesieve.lake.catalog import Lake


@pytest.fixture(scope="module")
def lake(spark: SparkSession) -> Lake:
    return erasable.erasable_lake(spark)


def test_a_name_has_its_images_of_all_versions_and_their_copies(lake: Lake) -> None:
    subject = subject_of(lake, Selectors(identity=("ann",)), 10)
    assert [erasable.small(each) for each in subject.images] == [1, 2, 6, 9]
    assert subject.faces == erasable.SUBJECT.faces
    assert subject.uris == ("1.jpg", "ann/1.jpg", "ann/2.jpg", "copies/6.jpg", "old/9.jpg")
    assert subject.digests == (*erasable.SUBJECT.digests, "09" * 32)
    assert subject.names == ("ann", "copies")
    assert subject.vectors == erasable.SUBJECT.vectors


def test_a_name_that_others_bear_stays(lake: Lake) -> None:
    subject = subject_of(lake, Selectors(uri=("bob/3.jpg",)), 10)
    assert (subject.images, subject.faces) == ((erasable.FROM + 3,), (erasable.FROM + 103,))
    assert subject.names == ()


def test_a_cluster_has_its_images(lake: Lake) -> None:
    assert subject_of(lake, Selectors(cluster=(erasable.FROM + 104,)), 10).images == (erasable.FROM + 4,)
    assert subject_of(lake, Selectors(identity=("nobody",)), 10) == Subject()


def test_copies_of_an_image_that_is_only_moved_to_the_name_are_meant_too(spark: SparkSession) -> None:
    """The decisions name the person, and do not have the content."""
    moved = erasable.erasable_lake(spark, tables.LISTING)
    erasable.put(spark, moved, tables.DECISIONS, [erasable.decision(1, moved_to="zoe")])
    assert [erasable.small(each) for each in subject_of(moved, Selectors(identity=("zoe",)), 10).images] == [1, 6]


def test_too_many_images_are_refused(lake: Lake) -> None:
    with pytest.raises(Refused, match=r"4 images are chosen, more than erase\.max_images \(3\)"):
        subject_of(lake, Selectors(identity=("ann",)), 3)
    assert replace(Subject(), images=(1,)).images == (1,)


def test_tips_are_the_versions_without_a_later_one(lake: Lake) -> None:
    assert [each.id for each in tips(lake, tables.LISTING)] == [lake.snapshot(tables.LISTING).id]

"""What an apply may change before it is refused."""

from __future__ import annotations

import pytest
from deciding import rows_of
from pyspark.sql import SparkSession

from facesieve.core.sections import Publish
from facesieve.core.tables import CLEANED, DECISIONS, Cleaned, Decisions
from facesieve.publish.change_guard import Change, compare
from facesieve.publish.wanted import WANTED, Wanted


@pytest.mark.parametrize(
    ("change", "limits", "refused"),
    [
        (Change(), Publish(max_change=0, max_gone=0), ""),
        (Change(added=500), Publish(max_change=0, max_gone=0), ""),
        (Change(100, added=5_000), Publish(max_change=0, max_gone=0), ""),
        (Change(200, changed=10), Publish(), ""),
        (Change(200, changed=11), Publish(), "publish.max_change"),
        (Change(10, changed=1, gone=3), Publish(), ""),
        (Change(10, changed=5, gone=5), Publish(), ""),
        (Change(10, changed=6), Publish(), "publish.max_change"),
        (Change(10, changed=1), Publish(floor=0), "publish.max_change"),
        (Change(10, changed=1), Publish(max_change=0), "publish.max_change"),
        (Change(100, changed=100), Publish(max_change=1), ""),
        (Change(124, gone=20), Publish(), ""),
        (Change(124, gone=25), Publish(), "publish.max_gone"),
        (Change(124, gone=25), Publish(max_change=1), "publish.max_gone"),
        (Change(124, gone=124), Publish(max_gone=1), ""),
        (Change(10, gone=1), Publish(max_gone=0), "publish.max_gone"),
    ],
)
def test_a_share_above_the_limit_is_refused(change: Change, limits: Publish, refused: str) -> None:
    objection = change.objection(limits)
    assert refused in objection
    assert bool(objection) == bool(refused)


def test_an_objection_gives_the_numbers_and_the_key_and_what_to_do() -> None:
    objection = Change(2_000, changed=1_000, gone=500).objection(Publish(max_change=0.1))
    assert "1,000 of 2,000 (50.0%) published images would leave the cleaned data set or change" in objection
    assert "publish.max_change = 0.1" in objection
    assert (
        "500 of 2,000 (25.0%) published images are gone from the source, more than publish.max_gone = 0.2" in objection
    )
    assert "images.root is whole" in objection


def test_what_was_published_is_compared_with_what_would_be(spark: SparkSession) -> None:
    published = {1: "Ann", 2: "Ann", 3: "Ann", 4: "Ann", 5: "cluster-7"}
    coming = {1: "Ann", 2: "Bob", 5: "cluster-8", 6: "Ann", 7: "Ann"}  # 3 is dropped, 4 is gone
    decided = [1, 2, 3, 5, 6, 7, 8]
    tables = (
        Cleaned(_named(spark, published)),
        Wanted(rows_of(spark, WANTED, [{"image_id": image, "identity": name} for image, name in coming.items()])),
        Decisions(rows_of(spark, DECISIONS.columns, [{"image_id": image} for image in decided])),
    )
    assert compare(*tables) == Change(5, changed=3, gone=1, added=2)
    nothing = Cleaned(tables[0].where("false"))
    assert compare(nothing, *tables[1:]) == Change(0, added=5)
    assert Change(0, added=5).summary() == ""
    assert compare(*tables).summary() == "of 5 published images 3 would change, 1 are gone, 2 would come in"


def test_an_image_of_several_people_is_counted_once(spark: SparkSession) -> None:
    """Image 1 loses one of its two people, image 2 gets a second one."""
    former = _named(spark, {1: "cluster-7"}).unionByName(_named(spark, {1: "cluster-8", 2: "cluster-8"}))
    coming = [{"image_id": image, "identity": name} for image, name in ((1, "cluster-7"), (2, "cluster-7"))]
    coming.append({"image_id": 2, "identity": "cluster-8"})
    decided = Decisions(rows_of(spark, DECISIONS.columns, [{"image_id": image} for image in (1, 2)]))
    assert compare(Cleaned(former), Wanted(rows_of(spark, WANTED, coming)), decided) == Change(2, changed=1)


def _named(spark: SparkSession, images: dict[int, str]) -> Cleaned:
    rows = [{"image_id": image, "identity": name} for image, name in images.items()]
    return Cleaned(rows_of(spark, CLEANED.columns, rows))


def test_the_floor_is_named_where_it_holds() -> None:
    changed = Change(10, changed=7)
    assert "and than publish.floor = 5. Run" in changed.objection(Publish(floor=5))
    assert "publish.floor" not in changed.objection(Publish(max_change=0, floor=5)), "a share of 0 lets none change"

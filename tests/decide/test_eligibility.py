"""Failures and copies, before any cluster is asked; people's verdicts settle which copy counts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from deciding import Face, Photo, inputs
from pyspark.sql import SparkSession

from facesieve.core.sections import Decide
from facesieve.core.tables import Edges
from facesieve.decide.eligibility import ELIGIBLE, eligibility
from facesieve.decide.inputs import OVERLAPS, OVERRIDES, Overlaps, Overrides, SideInputs
from facesieve.decide.kernels.duplicates import leaders
from facesieve.decide.near_duplicates import NEAR_DUPLICATES, Candidates, Compare, NearDuplicates


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


def test_whoever_is_kept_for_a_copy_is_no_copy_itself(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """The law of copies on 60 random graphs at once: files of equal bytes, near copies among them, words by hand."""
    chance = np.random.default_rng(11)
    photos: list[Photo] = []
    by_hand: list[tuple[int, str, None]] = []
    wanted: dict[int, bool] = {}
    for graph in range(60):
        for number in range(chance.integers(2, 9)):
            content = f"{graph} {chance.integers(0, 4)}"
            each = photo(f"{graph}/{chance.integers(1000)}-{number}.jpg", content, f"person {graph}")
            photos.append(each)
            word = chance.choice(["", "keep", "drop"], p=[0.85, 0.1, 0.05])
            wanted[each.image_id] = word == "keep"
            by_hand += [(each.image_id, str(word), None)] if word else []
    group = {each.image_id: each.uri.split("/")[0] for each in photos}

    def random_leaders(faces: Candidates, _edges: Edges, _settings: Decide, _compare: Compare) -> NearDuplicates:
        rows = sorted(faces.select("image_id", "uri").collect(), key=lambda row: (not wanted[row.image_id], row.uri))
        ids = [row.image_id for row in rows]
        pairs = [(one, two) for one in ids for two in ids if group[one] == group[two] and one < two]
        near = np.array([pair for pair in pairs if chance.random() < 0.4], np.int64).reshape(-1, 2)
        best = leaders(np.array(ids, np.int64), near[:, 0], near[:, 1]).tolist()
        follows = [(one, leader, 0.9, False) for one, leader in zip(ids, best, strict=True) if leader != one]
        assert len(follows) > 20
        return NearDuplicates(spark.createDataFrame(follows, NEAR_DUPLICATES))

    monkeypatch.setattr("facesieve.decide.eligibility.near_duplicates", random_leaders)
    sides = SideInputs(Overrides(spark.createDataFrame(by_hand, OVERRIDES)))
    rows: dict[int, Any] = {
        row.image_id: row for row in eligibility(inputs(spark, photos, side_inputs=sides), Decide()).collect()
    }
    copies = [row for row in rows.values() if row.duplicate or row.near_duplicate]
    assert len(copies) > 60
    for row in copies:
        keeper = rows[row.keeper]
        assert keeper.override == "keep" or not (keeper.duplicate or keeper.near_duplicate)
        assert group[row.image_id] == group[row.keeper]


def test_unshown_candidates_are_noted(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    photos = [photo("a/1.jpg", "a"), photo("a/2.jpg", "b")]
    alike = [(each.image_id, None, None, True) for each in photos]
    monkeypatch.setattr(
        "facesieve.decide.eligibility.near_duplicates", lambda *_: spark.createDataFrame(alike, NEAR_DUPLICATES)
    )
    rows = eligibility(inputs(spark, photos), Decide()).collect()
    assert [(row.doubts, row.undecided, row.near_duplicate) for row in rows] == [(["burst"], True, False)] * 2

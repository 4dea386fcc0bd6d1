"""Folders that are too small are counted by their cause, and what is said of them names key and fix."""

from __future__ import annotations

from typing import Any

import pytest
from deciding import rows_of
from pyspark.sql import SparkSession

from facesieve.core.frames import columns
from facesieve.core.sections import Decide
from facesieve.decide.rules import RULES, TOO_SMALL
from facesieve.decide.small_folders import folder_record, shrinkage
from facesieve.decide.verdicts import DecidedImages
from facesieve.lake.decide_records import DecideRecord, FolderRecord

SETTINGS = Decide(min_faces=5)
DECIDED = columns("identity string, face_id bigint, reason string, verdict string, rule int")
SMALL = {"reason": "identity_too_small", "verdict": "drop", "rule": RULES.index(TOO_SMALL)}
FAILED = {"face_id": None, "reason": "no_face", "verdict": "fail", "rule": 0}
COPY = {"reason": "near_duplicate", "verdict": "drop", "rule": 5}
KEEP = {"verdict": "keep", "rule": len(RULES) - 1}
OUTLIER = {"reason": "outlier", "verdict": "drop", "rule": 14}

FOLDERS: dict[str | None, list[dict[str, Any]]] = {
    "few": [SMALL] * 4,
    "faceless": [SMALL] * 4 + [FAILED],
    "both": [SMALL] * 4 + [FAILED] + [COPY] * 4,
    "clip": [SMALL] + [COPY] * 29,
    "split": [SMALL] * 9,
    "ann": [KEEP] * 6 + [OUTLIER] * 2 + [FAILED],
    None: [SMALL] * 3,
}


def test_small_folders_are_counted_by_cause(spark: SparkSession) -> None:
    rows = [{"identity": name, "face_id": 1} | row for name, images in FOLDERS.items() for row in images]
    record = folder_record(DecidedImages(rows_of(spark, DECIDED, rows)), SETTINGS)
    assert record == FolderRecord(
        images=66,
        published=6,
        median=9.0,
        small=5,
        small_images=22,
        few=1,
        faceless=1,
        copies=2,
        split=1,
        reason="near_duplicate",
        reason_images=33,
    )
    nothing = folder_record(DecidedImages(rows_of(spark, DECIDED, [{"face_id": 1} | KEEP])), SETTINGS)
    assert nothing == FolderRecord()


def said_of(folders: FolderRecord, **settings: Any) -> list[str]:
    return shrinkage(DecideRecord(folders=folders), Decide(**settings))


def test_a_gallery_of_which_nothing_is_left_names_size_key_and_fix() -> None:
    gallery = FolderRecord(
        images=50, median=3.0, small=15, small_images=50, few=15, reason="identity_too_small", reason_images=50
    )
    assert said_of(gallery) == [
        "0 of 50 images with an identity would be published: the median folder has 3 images, and decide.min_faces = 5; "
        'lower decide.min_faces, or set decide.small_folders = "keep"',
        "15 folders have no cluster of decide.min_faces = 5 images (15 hold fewer images): "
        "decide.small_folders = drop takes 50 images out",
    ]


def test_another_reason_is_named_where_it_is_the_most_frequent() -> None:
    folders = FolderRecord(images=100, published=49, median=40.0, reason="outlier", reason_images=31)
    assert said_of(folders) == [
        "49 of 100 images with an identity would be published: the median folder has 40 images, "
        "and decide.min_faces = 5; most often the reason is outlier (31 images), see table decisions"
    ]


@pytest.mark.parametrize("published", [50, 100])
def test_half_and_more_is_no_matter(published: int) -> None:
    assert said_of(FolderRecord(images=100, published=published)) == []


def test_folders_of_copies_and_of_failures_are_told_though_most_is_published() -> None:
    folders = FolderRecord(images=100, published=60, small=4, small_images=10, faceless=1, copies=2, split=1)
    small, copies = said_of(folders, small_folders="quarantine")
    assert small == (
        "4 folders have no cluster of decide.min_faces = 5 images (1 only because of images that give no face, "
        "2 only because copies count once, 1 fall into several clusters): "
        "decide.small_folders = quarantine takes 10 images out"
    )
    assert copies.startswith("2 folders are below decide.min_faces = 5 only because copies count once")


def test_images_without_an_identity_of_which_nothing_is_left() -> None:
    record = DecideRecord(folders=FolderRecord(), listed=9, verdicts={"quarantine": 9})
    assert shrinkage(record, SETTINGS)[0].startswith("none of 9 images would be published: ")
    assert "decide.min_faces = 5" in shrinkage(record, SETTINGS)[0]
    assert shrinkage(DecideRecord(folders=FolderRecord(), listed=9, verdicts={"keep": 1}), SETTINGS) == []
    assert shrinkage(DecideRecord(), SETTINGS) == [], "a lake without images, or a record of another version"

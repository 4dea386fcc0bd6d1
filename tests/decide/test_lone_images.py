"""Images whose faces are like none in their folder: which pictures of the folder they are paired with."""

from __future__ import annotations

import numpy as np
import pytest
from pyspark.sql import SparkSession

from facesieve.decide.lone_images import (
    HASHED_IMAGES,
    LONE_PAIRS,
    NEAR_FACES,
    HashedImages,
    NearFaces,
    pairs_of_lone,
)

Row = tuple[int, int, str | None, bytes, bytes | None]
A, B, C = (np.packbits(np.arange(256) % period == 0).tobytes() for period in (2, 3, 5))


def nearly(whole: bytes, bits: int) -> bytes:
    values = np.unpackbits(np.frombuffer(whole, np.uint8))
    values[:bits] ^= 1
    return np.packbits(values).tobytes()


def pairs(spark: SparkSession, rows: list[Row], near: list[int], most: int = 4) -> set[tuple[int, ...]]:
    images = HashedImages(spark.createDataFrame(rows, HASHED_IMAGES))
    faces = NearFaces(spark.createDataFrame([(face,) for face in near], NEAR_FACES))
    frame = pairs_of_lone(images, faces, most)
    assert frame.columns == LONE_PAIRS.names
    return {tuple(row) for row in frame.collect()}


def test_lone_images_are_paired_within_their_folder_and_by_their_first_faces(spark: SparkSession) -> None:
    rows: list[Row] = [
        (1, 11, "a", A, None),
        (1, 10, "a", A, None),
        (2, 20, "a", nearly(A, 4), B + C + C),
        (3, 30, "a", nearly(A, 5), None),
        (4, 40, "a", C, nearly(B, 1) + B + nearly(A, 3)),
        (5, 50, "b", A, None),
        (6, 60, None, A, None),
        (7, 70, None, A, None),
    ]
    assert pairs(spark, rows, [10, 30, 30]) == {
        (2, 1, 20, 10, 4, 0),
        (2, 3, 20, 30, 1, 0),
        (2, 4, 20, 40, 0, 2),
        (4, 1, 40, 10, 3, 3),
        (4, 3, 40, 30, 2, 3),
    }
    assert pairs(spark, rows, [11, 20, 30, 40]) == set(), "no image is lone"


def test_folders_that_come_together_are_paired_each_within_its_own(spark: SparkSession) -> None:
    folders = "abcdefgh"
    rows: list[Row] = [
        (10 * folder + number, 100 * folder + number, name, A, None)
        for folder, name in enumerate(folders)
        for number in range(3)
    ]
    ours = [{10 * folder + number for number in range(3)} for folder in range(len(folders))]
    paired = {(one, other) for one, other, *_ in pairs(spark, rows, [])}
    assert len(paired) == 3 * len(folders)
    assert all(any({one, other} <= images for images in ours) for one, other in paired)


def test_two_lone_images_are_paired_once(spark: SparkSession) -> None:
    assert pairs(spark, [(2, 20, "a", A, None), (1, 10, "a", A, b"short")], []) == {(1, 2, 10, 20, 0, 0)}


def test_folders_that_are_too_large_are_left(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    rows: list[Row] = [(number, number, "a", A, None) for number in range(3)]
    monkeypatch.setattr("facesieve.decide.lone_images._LARGEST", 2)
    assert pairs(spark, rows, []) == set()
    assert len(pairs(spark, rows[:2], [])) == 1

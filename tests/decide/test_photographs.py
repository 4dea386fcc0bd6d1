"""Candidate pairs against real files: what is shown, what is alike, and what cannot be read."""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from deciding import rows_of
from PIL import Image
from pyspark.sql import SparkSession
from scenes import encoded, scene

from facesieve.core.sections import Embed, Images
from facesieve.core.tables import EMBEDDINGS, Embeddings
from facesieve.decide.photographs import CANDIDATE_PAIRS, CandidatePairs, Sight, compared
from facesieve.embed.small_pictures import SmallPictures, Wanted, small_pictures
from facesieve.images.sources import source

FILES = {
    "original.jpg": scene(3),
    "copy.jpg": scene(3).crop((30, 24, 270, 216)),
    "mirrored.jpg": scene(3).transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "turned.jpg": scene(3).transpose(Image.Transpose.ROTATE_90),
    "frame.jpg": scene(3).rotate(0.6, Image.Resampling.BICUBIC, translate=(1, 0)),
    "other.jpg": scene(4),
}
BOX = {"x": 90.0, "y": 60.0, "width": 110.0, "height": 120.0}
BOXES = {"copy.jpg": BOX | {"x": 60.0, "y": 36.0}, "mirrored.jpg": BOX | {"x": 100.0}}


def described(folder: Path) -> list[dict[str, Any]]:
    rows = []
    for number, (name, picture) in enumerate(FILES.items()):
        content = encoded(picture)
        (folder / name).write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        ids = {"image_id": number, "face_id": number * 10, "uri": name, "sha256": digest}
        size = {"image_width": picture.width, "image_height": picture.height}
        rows.append(ids | size | {"box": BOXES.get(name, BOX)})
    return rows


def outcome(spark: SparkSession, rows: list[dict[str, Any]], sight: Sight) -> dict[int, tuple[bool, bool, bool]]:
    """Each file against the original: copy, alike, and whether a confidence is given."""
    pairs = [(0, number, 0, number * 10, number == 2, int(number == 3)) for number in range(1, len(FILES))]
    candidates = CandidatePairs(spark.createDataFrame(pairs, CANDIDATE_PAIRS))
    embeddings = Embeddings(rows_of(spark, EMBEDDINGS.columns, rows))
    answers = compared(candidates, embeddings, sight).collect()
    return {row.worse: (row.copy, row.alike, row.confidence is not None) for row in answers}


def reading(folder: Path) -> Sight:
    def read(images: Wanted) -> SmallPictures:
        return small_pictures(images, source(Images(root=str(folder))), Embed())

    return Sight(read)


@pytest.mark.parametrize("gone", [False, True])
def test_copies_are_shown_and_frames_are_alike(spark: SparkSession, tmp_path: Path, gone: bool) -> None:
    rows, sight = described(tmp_path), reading(tmp_path)
    # The box of the turned picture is no face: its frame alone leads to the copy.
    expected = dict.fromkeys((1, 2, 3), (True, True, True)) | {4: (False, True, True), 5: (False, False, True)}
    if gone:
        (tmp_path / "copy.jpg").unlink()
        expected[1] = (False, True, False)
    assert outcome(spark, rows, sight) == expected
    assert sight.unread == int(gone)


def test_without_a_source_nothing_is_shown(spark: SparkSession, tmp_path: Path) -> None:
    sight = Sight()
    answers = outcome(spark, described(tmp_path), sight)
    assert answers == dict.fromkeys(range(1, len(FILES)), (False, True, False))
    assert sight.unread == len(FILES)


def test_the_source_is_not_asked_where_no_pair_is(spark: SparkSession) -> None:
    sight = Sight(partial(pytest.fail, "the source was asked"))
    pairs = CandidatePairs(spark.createDataFrame([], CANDIDATE_PAIRS))
    assert compared(pairs, Embeddings(rows_of(spark, EMBEDDINGS.columns, [])), sight).count() == 0

"""Folders of one person are proposed once, and merged where that is sure and asked for."""

from __future__ import annotations

from typing import Any

import pytest
from deciding import inputs, photos_of, rows_of
from pyspark.sql import SparkSession

from facesieve.core.sections import Decide
from facesieve.decide.evidence import SPEAKING, SpeakingFaces
from facesieve.decide.identity_links import identity_links
from facesieve.decide.kernels.membership import Scale

ANN, ANA, BOB = (
    photos_of("ann", 5, (1.0, 0.0), 1),
    photos_of("ana", 4, (1.0, 0.0), 1),
    photos_of("bob", 3, (0.0, 1.0), 1),
)
FOLDERS = {"ann": (ANN, 0), "ana": (ANA, 0), "bob": (BOB, 3)}


def speaking(spark: SparkSession) -> SpeakingFaces:
    rows: list[dict[str, Any]] = [
        {"face_id": photo.face_id(photo.faces[0]), "image_id": photo.image_id, "identity": name, "in_global": 1}
        | {"main": True, "counted": True, "largest": len(photos), "folder_size": len(photos), "runner_up": second}
        for name, (photos, second) in FOLDERS.items()
        for photo in photos
    ]
    return SpeakingFaces(rows_of(spark, SPEAKING, rows))


def test_the_folder_with_fewer_images_is_proposed_as_the_larger(spark: SparkSession) -> None:
    faces, tables = speaking(spark), inputs(spark, [*ANN, *ANA, *BOB])
    settings = Decide(min_faces=3, merge_identities=True)
    links = {
        row.identity_b: row
        for row in identity_links(faces, tables.embeddings, Scale(0.0, 0.1, 0.7), settings).collect()
    }
    assert {name: row.identity_a for name, row in links.items()} == {"ana": "ann", "bob": "ann"}
    assert (links["ana"].cosine, links["ana"].share, links["ana"].merged) == (pytest.approx(1.0), 1.0, True)
    assert (links["bob"].cosine, links["bob"].merged) == (pytest.approx(0.0), False)
    unscaled = identity_links(faces, tables.embeddings, None, settings).collect()
    assert [(row.confidence, row.merged) for row in unscaled] == [(None, False)] * 2

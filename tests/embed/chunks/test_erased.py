"""An image that was erased is rejected before anything is computed of it."""

from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from pyspark.sql.pandas.types import to_arrow_schema
from scenes import encoded, scene

from facesieve.core.profiles import Crop, Profile
from facesieve.core.resemblance import Resembled, bands_of
from facesieve.core.sections import Embed
from facesieve.core.tombstones import Tombstones, tombstones_of
from facesieve.embed.chunks.vectors import Basis, vector_batches
from facesieve.embed.embeddings import TO_EMBED
from facesieve.embed.perceptual_hash import orientations, picture_hashes
from facesieve.embed.worker import Plan, outcome_batches

CONTENT = np.ones(4, np.float32).tobytes()
ERASED = Tombstones(b"k", frozenset(each for _, each in tombstones_of(b"k", [], [hashlib.sha256(CONTENT).hexdigest()])))
PROFILE = Profile(
    file="",
    sha256="0" * 64,
    form="tflite",
    input=(160, 160),
    normalisation="none",
    dimension=4,
    name="x",
    crop=Crop(50, 2, 2),
)


def batch(*contents: bytes) -> pa.RecordBatch:
    rows = [{"uri": f"{number}.jpg", "size": len(each), "content": each} for number, each in enumerate(contents)]
    return pa.RecordBatch.from_pylist(rows, schema=to_arrow_schema(TO_EMBED))


def test_an_erased_picture_is_rejected_before_it_is_decoded() -> None:
    plan = Plan(PROFILE, Embed(detector="aligned"), "m", None, erased=ERASED)
    (answer,) = outcome_batches([batch(CONTENT, b"no image")], plan)
    assert answer.select(["reason", "detail"]).to_pylist()[0] == {"reason": "erased", "detail": ""}
    assert answer["reason"].to_pylist()[1] == "wrong_type"


COPIES = {
    "as it is": scene(5),
    "half": scene(5).resize((150, 120)),
    "turned": scene(5).transpose(Image.Transpose.ROTATE_90),
    "mirrored": scene(5).transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "turned and mirrored": scene(5).transpose(Image.Transpose.TRANSVERSE),
}


@pytest.mark.parametrize("name", COPIES)
def test_a_near_copy_of_an_erased_picture_is_rejected_before_faces_are_looked_for(name: str) -> None:
    hashes = orientations(*picture_hashes(np.asarray(scene(5))))
    erased = Tombstones(b"k", frozenset(), Resembled.of(b"k", [bands_of(b"k", each) for each in hashes]))
    # The crop is outside the picture, so that no model is asked.
    plan = Plan(PROFILE, Embed(detector="aligned"), "m", None, erased=erased)
    (answer,) = outcome_batches([batch(encoded(COPIES[name], 60), encoded(scene(6)))], plan)
    assert answer["reason"].to_pylist() == ["erased", "crop_outside"]


def test_an_erased_vector_is_rejected() -> None:
    (answer,) = vector_batches([batch(CONTENT, (2 * np.ones(4, np.float32)).tobytes())], Basis(4, "m", ERASED))
    assert answer["reason"].to_pylist() == ["erased", None]
    assert [each is None for each in answer["vector"].to_pylist()] == [True, False]

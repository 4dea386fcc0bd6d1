"""Images to faces and vectors, in one pass: every image becomes rows of `embeddings`, or one row of `rejects`.

Crops are embedded in batches across images; a task holds one batch of crops and one decoded picture at a time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T
from pyspark.sql.pandas.types import to_arrow_schema

from facesieve import ids, models
from facesieve.config import Embed
from facesieve.kernels import pixels
from facesieve.profiles import Profile
from facesieve.reasons import Reason
from facesieve.stages.faces import Face, faces
from facesieve.stages.perceptual_hash import perceptual_hash
from facesieve.stages.pictures import Unusable, check_bytes, picture
from facesieve.tables import EMBEDDINGS, REJECTS, Embeddings, Rejects, conform

Row = dict[str, Any]
Crop = npt.NDArray[np.float32]

_WHY = [T.StructField("reason", T.StringType()), T.StructField("detail", T.StringType())]
_OUTCOMES = T.StructType([*EMBEDDINGS.columns, *_WHY])
_READ = ("image_id", "uri", "sha256", "size", "content")
_MOST_ROWS = 1_024
_UNREAD = "cannot be read"


@dataclass(frozen=True)
class Plan:
    """What a worker needs: the model profile, the settings, the model id, and how to read a uri (raises OSError)."""

    profile: Profile
    embed: Embed
    model: str
    fetch: Callable[[str], bytes]


def outcomes(images: DataFrame, plan: Plan) -> DataFrame:
    """Find and embed the faces of images: one row per face, or per image that gives none.

    `images`: image_id bigint, uri string, sha256 string, size bigint, content binary (null: fetched by the worker).
    Returns the columns of `embeddings`, with reason and detail (null for a face, the only columns beside image_id, uri,
    sha256 and model that a rejected image has). Raises ModelError, in the task, if the model cannot be used.
    """

    def embedded(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        return _outcomes(batches, plan)

    return images.select(*_READ).mapInArrow(embedded, _OUTCOMES)


def embeddings(outcome: DataFrame) -> Embeddings:
    """Return the faces of what `outcomes` made."""
    return Embeddings(conform(outcome.where(F.col("reason").isNull()), EMBEDDINGS))


def rejects(outcome: DataFrame) -> Rejects:
    """Return the images without a usable face of what `outcomes` made; those that are `unread` are no part of it."""
    return Rejects(conform(outcome.where(F.col("reason").isNotNull() & ~_unread()), REJECTS))


def unread(outcome: DataFrame) -> DataFrame:
    """Return the images whose listed content could not be had: a passing fault, or the source has changed since."""
    return outcome.where(F.col("reason").isNotNull() & _unread())


def _unread() -> Column:
    return F.col("sha256").isNotNull() & F.col("detail").startswith(_UNREAD)


def _outcomes(batches: Iterable[pa.RecordBatch], plan: Plan) -> Iterator[pa.RecordBatch]:
    """Collect rows until their crops fill a batch of the model; what is left at the end is a smaller batch."""
    rows: list[Row] = []
    crops: list[Crop] = []
    for image in _images(batches):
        for row, crop in _found(image, plan):
            rows.append(row)
            if crop is not None:
                crops.append(crop)
            if len(crops) == plan.embed.batch_images or len(rows) == _MOST_ROWS:
                yield _embedded(rows, crops, plan)
                rows, crops = [], []
    if rows:
        yield _embedded(rows, crops, plan)


def _images(batches: Iterable[pa.RecordBatch]) -> Iterator[Row]:
    for batch in batches:
        for index in range(batch.num_rows):
            yield {name: batch.column(name)[index].as_py() for name in _READ}


def _found(image: Row, plan: Plan) -> Iterator[tuple[Row, Crop | None]]:
    """Yield the faces of one image with their crops, or the one row that says why there is none."""
    row = {name: image[name] for name in ("image_id", "uri", "sha256")} | {"model": plan.model}
    try:
        pixel_rows = picture(_content(image, plan), plan.embed)
        found = faces(pixel_rows, plan.profile, plan.embed)
    except Unusable as why:
        yield row | {"reason": why.reason.value, "detail": why.detail}, None
        return
    height, width = plan.profile.input
    row |= _whole(pixel_rows)
    for rank, face in enumerate(found):
        crop = pixels.resample(pixel_rows, face.cut, (height, width))
        yield row | _described(face, crop, rank, ids.face_id(image["image_id"], plan.model, rank)), crop


def _whole(picture: npt.NDArray[np.uint8]) -> Row:
    """What the rows of all faces of an image say of the image."""
    height, width = picture.shape[:2]
    return {"image_width": width, "image_height": height, "phash": perceptual_hash(picture)}


def _content(image: Row, plan: Plan) -> bytes:
    """The bytes of an image, unless its size alone forbids to read them."""
    if image["size"] is not None:
        check_bytes(image["size"], plan.embed)
    if image["content"] is not None:
        return bytes(image["content"])
    try:
        content = plan.fetch(image["uri"])
    except OSError as problem:
        raise Unusable(Reason.UNDECODABLE, f"{_UNREAD} ({type(problem).__name__})") from None
    if image["sha256"] is not None and hashlib.sha256(content).hexdigest() != image["sha256"]:
        raise Unusable(Reason.UNDECODABLE, f"{_UNREAD} (it has changed since it was listed)")
    return content


def _described(face: Face, crop: Crop, rank: int, face_id: int) -> Row:
    return {
        "face_id": face_id,
        "face_rank": rank,
        "box": dict(zip(("x", "y", "width", "height"), face.box, strict=True)),
        "landmarks": face.landmarks,
        "confidence": face.confidence,
        "sharpness": pixels.sharpness(crop),
        "reasons": [],
    }


def _embedded(rows: list[Row], crops: list[Crop], plan: Plan) -> pa.RecordBatch:
    """Give the faces among `rows` their vectors, in order, and make an Arrow batch of all."""
    vectors = iter(models.load(plan.profile).embed(np.stack(crops)) if crops else ())
    full = [row if "reason" in row else row | {"vector": next(vectors)} for row in rows]
    return pa.RecordBatch.from_pylist(full, schema=to_arrow_schema(_OUTCOMES))

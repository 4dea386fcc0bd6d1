"""Images to faces and vectors, in one pass: every image becomes rows of `embeddings`, or one row of `rejects`.

Images are fetched and decoded ahead, by a thread and a child process, while faces are looked for in a group of pictures
at once and embedded in batches across groups. A task holds one group, what is decoded ahead, and one batch of crops.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T
from pyspark.sql.pandas.types import to_arrow_schema

from facesieve import models
from facesieve.core import ids
from facesieve.core.config import Embed
from facesieve.core.profiles import Profile
from facesieve.core.reasons import Reason
from facesieve.core.tables import EMBEDDINGS, REJECTS, Embeddings, Rejects, conform
from facesieve.embed.crops import Face, cut, faces, magnified
from facesieve.embed.decode import Picture, Unusable, check_bytes
from facesieve.embed.decoder_client import PILLOW, Decoder, decoder
from facesieve.embed.gpu import claim
from facesieve.embed.perceptual_hash import perceptual_hash
from facesieve.embed.prefetch import ahead
from facesieve.faces import pixels

Row = dict[str, Any]
Crop = npt.NDArray[np.float32]

_WHY = [T.StructField("reason", T.StringType()), T.StructField("detail", T.StringType())]
_OUTCOMES = T.StructType([*EMBEDDINGS.columns, *_WHY])
_READ = ("image_id", "uri", "sha256", "size", "content")
_MOST_ROWS = 1_024
_GROUP = 16
_GROUP_PIXELS = 16_000_000
"""Pictures, and pixels of them, in which faces are looked for at once."""

_UNREAD = "cannot be read"


@dataclass(frozen=True)
class Plan:
    """What a worker needs: the model profile, the settings, the model id, and how to read a uri (raises OSError).

    decode: what decodes, as `decoding.Decoder` takes it.
    """

    profile: Profile
    embed: Embed
    model: str
    fetch: Callable[[str], bytes]
    decode: str = PILLOW


class _Opened(NamedTuple):
    """An image that is fetched and decoded, or why it cannot be; the content is kept for those that are reduced."""

    image: Row
    picture: Picture | Unusable
    content: bytes = b""


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
    claim()
    rows: list[Row] = []
    crops: list[Crop] = []
    for row, crop in chain.from_iterable(_found(group, plan) for group in _groups(_opened(batches, plan))):
        rows.append(row)
        if crop is not None:
            crops.append(crop)
        if len(crops) == plan.embed.batch_images or len(rows) == _MOST_ROWS:
            yield _embedded(rows, crops, plan)
            rows, crops = [], []
    if rows:
        yield _embedded(rows, crops, plan)


def _opened(batches: Iterable[pa.RecordBatch], plan: Plan) -> Iterator[_Opened]:
    """Fetch and decode images in the order in which they come, ahead of whoever takes them."""
    child = decoder(plan.embed, plan.decode)

    def opened(image: Row) -> _Opened:
        try:
            content = _content(image, plan)
            picture = child.decode(content)
        except Unusable as why:
            return _Opened(image, why)
        return _Opened(image, picture, content if picture.scale > 1 else b"")

    return ahead(_images(batches), opened, _size)


def _size(opened: _Opened) -> int:
    return 0 if isinstance(opened.picture, Unusable) else opened.picture.pixels.size


def _images(batches: Iterable[pa.RecordBatch]) -> Iterator[Row]:
    for batch in batches:
        columns = [batch.column(name) for name in _READ]
        for index in range(batch.num_rows):
            yield {name: column[index].as_py() for name, column in zip(_READ, columns, strict=True)}


def _groups(opened: Iterable[_Opened]) -> Iterator[list[_Opened]]:
    group: list[_Opened] = []
    held = 0
    for one in opened:
        group.append(one)
        held += _size(one)
        if len(group) == _GROUP or held >= 3 * _GROUP_PIXELS:
            yield group
            group, held = [], 0
    if group:
        yield group


def _found(group: list[_Opened], plan: Plan) -> Iterator[tuple[Row, Crop | None]]:
    """Yield the faces of a group's images with their crops, or for an image the one row that says why it has none."""
    pictures = [one.picture for one in group if isinstance(one.picture, Picture)]
    answers = iter(faces(pictures, plan.profile, plan.embed))
    for one in group:
        row = {name: one.image[name] for name in ("image_id", "uri", "sha256")} | {"model": plan.model}
        answer = next(answers) if isinstance(one.picture, Picture) else one.picture
        if isinstance(answer, Unusable):
            yield row | {"reason": answer.reason.value, "detail": answer.detail}, None
        elif isinstance(one.picture, Picture):
            row |= _whole(one.picture)
            for rank, (face, crop) in enumerate(_crops(one, one.picture, answer, plan)):
                yield row | _described(face, crop, rank, ids.face_id(one.image["image_id"], plan.model, rank)), crop


def _crops(opened: _Opened, picture: Picture, found: list[Face], plan: Plan) -> Iterator[tuple[Face, Crop]]:
    """Cut the faces out of an image, out of its full picture where the one at hand shows a face too small."""
    height, width = plan.profile.input
    size = (height, width)
    if any(magnified(picture, face, size) for face in found):
        picture = _full(decoder(plan.embed, plan.decode), opened.content, picture)
    return ((face, cut(picture, face, size)) for face in found)


def _full(child: Decoder, content: bytes, reduced: Picture) -> Picture:
    try:
        return child.decode(content, full=True)
    except Unusable:  # too large for memory or time only in full: the reduced picture is still one of the face
        return reduced


def _whole(picture: Picture) -> Row:
    """What the rows of all faces of an image say of the image."""
    return {
        "image_width": picture.width,
        "image_height": picture.height,
        "phash": perceptual_hash(picture.pixels),
    }


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
        "passed_over": face.passed_over,
    }


def _embedded(rows: list[Row], crops: list[Crop], plan: Plan) -> pa.RecordBatch:
    """Give the faces among `rows` their vectors, in order, and make an Arrow batch of all."""
    vectors = iter(models.load(plan.profile).embed(np.stack(crops)) if crops else ())
    full = [row if "reason" in row else row | {"vector": next(vectors)} for row in rows]
    return pa.RecordBatch.from_pylist(full, schema=to_arrow_schema(_OUTCOMES))

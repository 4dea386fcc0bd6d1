"""What a worker does with images: fetch, decode, find faces, cut and embed them, in one pass.

Images are fetched and decoded ahead, by a thread and a child process. Meanwhile faces are looked for in a group of
pictures at once and embedded in batches across groups. A task holds a group, what is decoded ahead, a batch of crops.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.sql import types as T
from pyspark.sql.pandas.types import to_arrow_schema

from facesieve import models
from facesieve.core import ids
from facesieve.core.profiles import Profile
from facesieve.core.reasons import Reason
from facesieve.core.sections import Embed
from facesieve.core.tables import EMBEDDINGS
from facesieve.core.tombstones import NOTHING_ERASED, Tombstones
from facesieve.embed.crops import Face, cut, faces, magnified, standard
from facesieve.embed.decode import check_bytes
from facesieve.embed.decoder_client import PILLOW, Decoder, decoder
from facesieve.embed.gpu import claim
from facesieve.embed.listing import content_to_hash
from facesieve.embed.perceptual_hash import face_hash, picture_hashes, unless_copy
from facesieve.embed.picture import Picture, Unusable
from facesieve.embed.prefetch import prefetched
from facesieve.faces import pixels
from facesieve.images.protocol import BadContent, Fetch
from facesieve.images.store_errors import Unanswered

Row = dict[str, Any]
Crop = npt.NDArray[np.float32]

OUTCOMES = T.StructType(
    [*EMBEDDINGS.columns, T.StructField("reason", T.StringType()), T.StructField("detail", T.StringType())]
)
_MOST_ROWS = 1_024
_NO_BYTES = "the row has no bytes, as after a failed download; a path alone is never opened: embed the pictures first"
_GROUP = 16
_GROUP_PIXELS = 16_000_000
"""Pictures, and pixels of them, in which faces are looked for at once."""


@dataclass(frozen=True)
class Plan:
    """What a worker needs: the model profile, the settings, the model id, and how an image is fetched.

    fetch: None where every image comes with its content. decode: what decodes, as `decoder_client.Decoder` takes it.
    archives: in how many the images lie, for how they are dealt to tasks. erased: images that are not embedded again.
    """

    profile: Profile
    embed: Embed
    model: str
    fetch: Fetch | None
    decode: str = PILLOW
    archives: int = 0
    erased: Tombstones = NOTHING_ERASED


class _Opened(NamedTuple):
    """An image that is fetched and decoded, or why it cannot be; the content is kept for those that are reduced."""

    image: Row
    picture: Picture | Unusable
    content: bytes = b""


def outcome_batches(batches: Iterable[pa.RecordBatch], plan: Plan) -> Iterator[pa.RecordBatch]:
    """Turn batches of images (columns image_id, uri, sha256, size, content) into batches of `OUTCOMES`.

    Rows are collected until their crops fill a batch of the model; what is left at the end is a smaller batch.
    """
    claim()
    rows, crops = list[Row](), list[Crop]()
    for row, crop in chain.from_iterable(_rows(group, plan) for group in _groups(_opened(batches, plan))):
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
        content = image.pop("content")
        try:
            if image["image_id"] is None:
                content = _identify(image, content, plan)
            if plan.erased.block(image["image_id"], image["sha256"]):
                raise Unusable(Reason.ERASED, "")
            content = _checked(image, content, plan)
            picture = unless_copy(child.decode(content), plan.erased.similar)
        except Unusable as why:
            return _Opened(image, why)
        return _Opened(image, picture, content if picture.scale > 1 else b"")

    return prefetched(_images(batches), opened, _size)


def _size(opened: _Opened) -> int:
    return 0 if isinstance(opened.picture, Unusable) else opened.picture.pixels.size + len(opened.content)


def _images(batches: Iterable[pa.RecordBatch]) -> Iterator[Row]:
    for batch in batches:
        for index in range(batch.num_rows):
            yield {name: batch.column(name)[index].as_py() for name in batch.schema.names}


def _identify(image: Row, content: bytes | None, plan: Plan) -> bytes | None:
    """Give an image that is not listed yet its digest and id, and return the content from which they follow.

    Raises Unusable if it cannot be read: a store that was asked with patience is not asked again.
    """
    failed = None
    if content is None:
        try:
            content = content_to_hash(image["uri"], image["size"], plan.fetch)
        except OSError as problem:
            failed = problem
    image["sha256"] = None if content is None else hashlib.sha256(content).hexdigest()
    image["image_id"] = ids.image_id(image["uri"], image["sha256"])
    if failed is None:
        return content
    if not isinstance(failed, BadContent):
        check_bytes(1 if image["size"] is None else image["size"], plan.embed)
    raise _unreadable(failed, Reason.UNDECODABLE)


def _checked(image: Row, content: bytes | None, plan: Plan) -> bytes:
    """Return the content of an image, unless its size alone forbids to read it, or its source has none."""
    if content is None and plan.fetch is None and not image["size"]:
        raise Unusable(Reason.EMPTY, _NO_BYTES)
    if content is None and plan.fetch is not None and image["size"] == 0:
        _refuse_bad(image["uri"], plan.fetch)
    if image["size"] is not None:
        check_bytes(image["size"], plan.embed)
    if content is not None:
        return content
    try:
        if plan.fetch is None:
            raise FileNotFoundError(image["uri"])
        content = plan.fetch(image["uri"])
    except OSError as problem:
        reason = Reason.UNDECODABLE if image["sha256"] is None else Reason.UNREAD
        raise _unreadable(problem, reason) from None
    if image["sha256"] is not None and hashlib.sha256(content).hexdigest() != image["sha256"]:
        raise Unusable(Reason.UNREAD, "it has changed since it was listed")
    return content


def _refuse_bad(uri: str, fetch: Fetch) -> None:
    """Raise Unusable, with the words of the source, if an image of size 0 is one that the source can never give."""
    try:
        fetch(uri)
    except BadContent as problem:
        raise _unreadable(problem, Reason.UNDECODABLE) from None
    except OSError:
        return


def _unreadable(problem: OSError, reason: Reason) -> Unusable:
    """Say of an image that its content cannot be had, and what the store says of it where it is remote."""
    if isinstance(problem, BadContent):
        return Unusable(Reason.UNDECODABLE, problem.words)
    words = f": {problem.strerror}" if isinstance(problem, (Unanswered, PermissionError)) and problem.strerror else ""
    return Unusable(reason, f"cannot be read ({type(problem).__name__}{words})")


def _groups(images: Iterable[_Opened]) -> Iterator[list[_Opened]]:
    group = list[_Opened]()
    for image in images:
        group.append(image)
        if len(group) == _GROUP or sum(map(_size, group)) >= 3 * _GROUP_PIXELS:
            yield group
            group = []
    if group:
        yield group


def _rows(group: list[_Opened], plan: Plan) -> Iterator[tuple[Row, Crop | None]]:
    """Yield the faces of a group's images with their crops, or for an image the one row that says why it has none."""
    pictures = [opened.picture for opened in group if isinstance(opened.picture, Picture)]
    answers = iter(faces(pictures, plan.profile, plan.embed))
    for opened in group:
        row = {name: opened.image[name] for name in ("image_id", "uri", "sha256")} | {"model": plan.model}
        answer = next(answers) if isinstance(opened.picture, Picture) else opened.picture
        if isinstance(answer, Unusable):
            yield row | {"reason": answer.reason.value, "detail": answer.detail}, None
        elif isinstance(opened.picture, Picture):
            row |= _whole(opened.picture)
            for rank, (face, crop) in enumerate(_crops(opened, opened.picture, answer, plan)):
                described = _described(face, crop, rank, ids.face_id(row["image_id"], plan.model, rank))
                yield row | described | {"face_phash": face_hash(standard(opened.picture, face))}, crop


def _crops(opened: _Opened, picture: Picture, boxes: list[Face], plan: Plan) -> Iterator[tuple[Face, Crop]]:
    """Cut the faces out of an image, out of its full picture where the one at hand shows a face too small."""
    size = (plan.profile.input[0], plan.profile.input[1])
    if any(magnified(picture, face, size) for face in boxes):
        picture = _full(decoder(plan.embed, plan.decode), opened.content, picture)
    return ((face, cut(picture, face, size)) for face in boxes)


def _full(child: Decoder, content: bytes, reduced: Picture) -> Picture:
    try:
        return child.decode(content, full=True)
    except Unusable:  # too large for memory or time only in full: the reduced picture is still one of the face
        return reduced


def _whole(picture: Picture) -> Row:
    """What the rows of all faces of an image say of the image."""
    whole, turned = picture_hashes(picture.pixels)
    return {
        "image_width": picture.width,
        "image_height": picture.height,
        "phash": whole,
        "turned_phash": turned,
        "reasons": [note.value for note in picture.notes],
    }


def _described(face: Face, crop: Crop, rank: int, face_id: int) -> Row:
    return {
        "face_id": face_id,
        "face_rank": rank,
        "box": dict(zip(("x", "y", "width", "height"), face.box, strict=True)),
        "landmarks": face.landmarks,
        "confidence": face.confidence,
        "sharpness": pixels.sharpness(crop),
        "passed_over": face.passed_over,
        "left_out": face.left_out,
    }


def _embedded(rows: list[Row], crops: list[Crop], plan: Plan) -> pa.RecordBatch:
    """Give the faces among `rows` their vectors, in order, and make an Arrow batch of all."""
    vectors = iter(models.load(plan.profile).embed(np.stack(crops)) if crops else ())
    full = [row if "reason" in row else row | {"vector": next(vectors)} for row in rows]
    return pa.RecordBatch.from_pylist(full, schema=to_arrow_schema(OUTCOMES))

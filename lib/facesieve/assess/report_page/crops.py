"""Pictures of the report: faces cut out of the source's images by the tasks, small, without what the files say more."""

from __future__ import annotations

import io
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, NewType

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from PIL import Image as Pillow
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.assess.report_page.destination import picture_path
from facesieve.assess.report_page.run_tables import RunTables
from facesieve.core.frames import columns, many_tasks
from facesieve.core.sections import Embed
from facesieve.core.side_sections import Report
from facesieve.embed.crops import again, cut
from facesieve.embed.decoder_client import decoder
from facesieve.embed.picture import Picture, Unusable
from facesieve.faces.pixels import resample, square
from facesieve.images.listed_content import listed_content, with_content
from facesieve.images.protocol import Fetch, Source
from facesieve.images.storage import Storage

ROOM = 0.6
"""Around the box of a face, as a share of its longer side: hair and chin tell people apart."""
BLURRED = 8
"""Pixels of a blurred picture along a side: what is lost so comes back by no sharpening."""

_Wanted = NewType("_Wanted", DataFrame)
_ROWS = columns("image_id bigint, uri string, sha256 string, content binary")
_WRITTEN = "image_id bigint, bytes bigint"


@dataclass(frozen=True)
class Cropper:
    """Makes a picture of an image file. It can be pickled; the image is decoded in the worker's decoder process."""

    size: int
    quality: int
    blur: bool
    embed: Embed

    def __call__(self, content: bytes, box: tuple[float, ...] | None, points: tuple[float, ...] | None) -> bytes:
        """Return a JPEG of the face in a box of the full image; of the whole image without one. Raises Unusable."""
        picture = decoder(self.embed).decode(content)
        return jpeg(_pixels(picture, box, points, self.size), self.quality, blur=self.blur)


def jpeg(pixels: npt.NDArray[np.uint8], quality: int, *, blur: bool) -> bytes:
    """Write uint8 [h, w, 3] as a JPEG that holds pixels alone, blurred if asked."""
    image = Pillow.fromarray(pixels)
    if blur:
        small = image.resize((BLURRED, BLURRED), Pillow.Resampling.BOX)
        image = small.resize(image.size, Pillow.Resampling.BICUBIC)
    content = io.BytesIO()
    image.save(content, "JPEG", quality=quality, optimize=True)
    return content.getvalue()


def cropper(report: Report, embed: Embed, *, blur: bool) -> Cropper:
    """Return what makes the pictures of a report."""
    return Cropper(report.size, report.quality, blur, embed)


def write_pictures(
    ids: Collection[int], run: RunTables, origin: Source, crop: Cropper, target: Storage
) -> dict[int, int]:
    """Write the pictures of these images; return image_id -> bytes of those that could be made.

    Images that are gone, have changed or cannot be decoded have none. ids: few, held by the driver.
    """
    if not ids:
        return {}
    wanted = run.listing.sparkSession.createDataFrame([(number,) for number in sorted(ids)], "image_id bigint")
    listed = run.listing.join(F.broadcast(wanted), "image_id", how="left_semi").select("image_id", "uri", "sha256")
    rows = with_content(listed, origin).join(_faces(run), "image_id", how="left")
    tasks = min(many_tasks(rows.sparkSession), len(ids))
    # Members of an archive are asked for in the order of their names, so that few archives are open at a time.
    spread = rows.repartition(tasks, "image_id").sortWithinPartitions("uri")
    fetch = None if origin.carries_content else origin.fetch()
    task = partial(_write, fetch=fetch, crop=crop, target=target)
    return {row["image_id"]: row["bytes"] for row in spread.mapInArrow(task, _WRITTEN).collect()}


def _faces(run: RunTables) -> DataFrame:
    largest = run.embeddings.where("face_rank = 0")
    return largest.select("image_id", "box", "landmarks").dropDuplicates(["image_id"])


def _write(
    batches: Iterable[pa.RecordBatch], fetch: Fetch | None, crop: Cropper, target: Storage
) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        written = [(row["image_id"], size) for row in batch.to_pylist() if (size := _picture(row, fetch, crop, target))]
        ids, sizes = zip(*written, strict=True) if written else ((), ())
        yield pa.record_batch({"image_id": pa.array(ids, pa.int64()), "bytes": pa.array(sizes, pa.int64())})


def _picture(row: dict[str, Any], fetch: Fetch | None, crop: Cropper, target: Storage) -> int | None:
    carried = row["content"] or b""
    content, _ = listed_content(row["uri"], row["sha256"], fetch or (lambda _: carried))
    if content is None:
        return None
    box = tuple(row["box"][name] for name in ("x", "y", "width", "height")) if row["box"] else None
    try:
        picture = crop(content, box, tuple(row["landmarks"]) if row["landmarks"] else None)
    except Unusable:
        return None
    target.write(picture_path(row["image_id"]), picture)
    return len(picture)


def _pixels(
    picture: Picture, box: tuple[float, ...] | None, points: tuple[float, ...] | None, size: int
) -> npt.NDArray[np.uint8]:
    """Cut a square around the face, or take the whole image: -> uint8 [size, size, 3], or less for a long image."""
    if box is None:
        height, width = picture.pixels.shape[:2]
        ratio = size / max(height, width)
        shape = max(1, round(height * ratio)), max(1, round(width * ratio))
        cropped = resample(picture.pixels, (0, 0, width, height), shape)
    else:
        x, y, width, height = box
        face = again((x, y, width, height), points, picture, None)
        roomy = square((x, y, width, height), ROOM)
        cropped = cut(picture, type(face)(face.box, roomy, turn=face.turn), (size, size))
    return np.rint(cropped).clip(0, 255).astype(np.uint8)

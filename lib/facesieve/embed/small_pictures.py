"""Small grey pictures of listed images, read from the source by the workers, each image once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NewType

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.sql import DataFrame

from facesieve.core.frames import columns, many_tasks
from facesieve.core.sections import Embed
from facesieve.embed.decoder_client import decoder
from facesieve.embed.picture import Picture, Unusable
from facesieve.faces import pixels
from facesieve.images.listed_content import listed_content, with_content
from facesieve.images.protocol import Fetch, Source

SIDE = 256
"""Pixels of the longer side to which a picture is shrunk."""

Wanted = NewType("Wanted", DataFrame)
WANTED = columns("image_id bigint, uri string, sha256 string")

SmallPictures = NewType("SmallPictures", DataFrame)
SMALL_PICTURES = columns("image_id bigint, width int, small binary")
"""small: grey levels row by row, one byte each, `width` a row; null where the listed content cannot be had."""

_LUMA = np.array([[0.299], [0.587], [0.114]], np.float32)
"""Weights of red, green and blue in luma (ITU-R BT.601)."""


def small_pictures(images: Wanted, origin: Source, embed: Embed) -> SmallPictures:
    """Read images and shrink them. An image that is gone, has changed or cannot be decoded has no picture."""
    fetch = None if origin.carries_content else origin.fetch()
    rows = with_content(images.select(*WANTED.names), origin)
    # Members of an archive are asked for in the order of their names, so that few archives are open at a time.
    spread = rows.repartition(many_tasks(rows.sparkSession), "image_id").sortWithinPartitions("uri")

    def shrunk(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield _batch([_row(image, fetch, embed) for image in batch.to_pylist()])

    return SmallPictures(spread.select(*WANTED.names, "content").mapInArrow(shrunk, SMALL_PICTURES))


def _batch(rows: list[tuple[int, int | None, bytes | None]]) -> pa.RecordBatch:
    ids, widths, smalls = zip(*rows, strict=True) if rows else ((), (), ())
    arrays = [pa.array(ids, pa.int64()), pa.array(widths, pa.int32()), pa.array(smalls, pa.binary())]
    return pa.RecordBatch.from_arrays(arrays, SMALL_PICTURES.names)


def _row(image: dict[str, Any], fetch: Fetch | None, embed: Embed) -> tuple[int, int | None, bytes | None]:
    carried = image["content"] or b""  # no listed image is of no bytes: it was rejected
    content, _ = listed_content(image["uri"], image["sha256"], fetch or (lambda _: carried))
    if content is None:
        return image["image_id"], None, None
    try:
        grey = shrink(decoder(embed).decode(content))
    except Unusable:
        return image["image_id"], None, None
    return image["image_id"], grey.shape[1], grey.tobytes()


def shrink(picture: Picture) -> npt.NDArray[np.uint8]:
    """Shrink a picture to grey levels, uint8 [h, w], with at most SIDE pixels along the longer side."""
    height, width = picture.pixels.shape[:2]
    ratio = min(1.0, SIDE / max(height, width))
    size = max(1, round(height * ratio)), max(1, round(width * ratio))
    small = pixels.resample(picture.pixels, (0, 0, width, height), size)
    return np.asarray(np.rint((small @ _LUMA)[:, :, 0]).clip(0, 255), np.uint8)

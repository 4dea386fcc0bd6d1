"""How the tasks of an export come by what they write of a face: the image file, or the aligned face cut out of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NewType

from pyspark.sql import DataFrame

from facesieve.core import tables
from facesieve.core.tables import Cleaned
from facesieve.embed.picture import Unusable
from facesieve.images.listed_content import listed_content
from facesieve.images.protocol import Fetch
from facesieve.lake.listed_snapshot import listed_source
from facesieve.lake.run import Run, Stage
from facesieve.publish.face_crops import FaceCutter, Row
from facesieve.publish.table import with_bytes

Beside = NewType("Beside", DataFrame)
"""face_id, and what of `bytes`, `box` and `landmarks` a task needs of a face."""

Faces = NewType("Faces", DataFrame)
"""Rows with face_id, and whatever else an export needs of a face."""

Content = tuple[bytes | None, str | None]
"""What is to be written, or what is wrong with the image file."""


@dataclass(frozen=True)
class Reader:
    """Gives the content of a row with uri and sha256. It can be pickled.

    fetch: None where the row has the file in `bytes`. cutter: None where the file is wanted as it is.
    """

    fetch: Fetch | None
    cutter: FaceCutter | None = None

    def __call__(self, row: Row) -> Content:
        """Return what is to be written of a row, or what is wrong."""
        content, problem = listed_content(row["uri"], row["sha256"], self.fetch or (lambda _: _stored(row)))
        if content is None or self.cutter is None:
            return content, problem
        try:
            return self.cutter(content, row), None
        except Unusable as why:
            return None, f"gives no face any more ({why.detail})"


@dataclass(frozen=True)
class Pictures:
    """A reader, and the columns that it needs besides; None where uri and sha256 are enough."""

    read: Reader
    beside: Beside | None = None

    def add_to(self, faces: Faces) -> DataFrame:
        """Add the columns that the reader needs to rows with face_id."""
        return faces if self.beside is None else faces.join(self.beside, "face_id", how="inner")


def files_of(run: Run, cleaned: Cleaned) -> Pictures:
    """Return the image files of published images: as the table has them, or as the source carries or fetches them."""
    origin = listed_source(run)
    if run.config.publish.bytes:
        return stored(cleaned)
    return stored(with_bytes(run, cleaned)) if origin.carries_content else Pictures(Reader(origin.fetch()))


def stored(cleaned: Cleaned) -> Pictures:
    """Return the image files that the column `bytes` holds."""
    return Pictures(Reader(None), Beside(cleaned.select("face_id", "bytes")))


def crops_of(stage: Stage, cleaned: Cleaned) -> Pictures:
    """Return the aligned faces of the profile's size, cut out of the image files as they were for the model."""
    run = stage.run
    files = files_of(run, cleaned)
    places = stage.of_model(tables.EMBEDDINGS).select("face_id", "box", "landmarks")
    beside = places if files.beside is None else places.join(files.beside, "face_id", how="inner")
    cutter = FaceCutter(run.profile, run.config.embed, run.config.publish.crop_format)
    return Pictures(Reader(files.read.fetch, cutter), Beside(beside))


def _stored(row: Row) -> bytes:
    if row["bytes"] is None:
        raise OSError("its source has it no more")
    return bytes(row["bytes"])

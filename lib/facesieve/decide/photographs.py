"""Whether images that may be copies are one photograph: their pictures are read, laid on each other, and compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NewType

import numpy as np
import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from facesieve.core.frames import batches_of_pictures, checkpointed, columns
from facesieve.core.tables import Embeddings
from facesieve.decide.kernels.same_photograph import View, is_alike, likeness, probability, shows_copy
from facesieve.decide.kernels.starting_maps import by_frames, by_points, face_points
from facesieve.embed.small_pictures import SmallPictures, Wanted

CandidatePairs = NewType("CandidatePairs", DataFrame)
CANDIDATE_PAIRS = columns(
    "better bigint, worse bigint, better_face bigint, worse_face bigint, mirrored boolean, turn int"
)
"""Pairs of images that may be one photograph, each once: the better one, and the two faces that are alike. turn: by so
many quarter turns, counter-clockwise, the better picture becomes the worse; 0 of pairs whose faces are alike."""

ComparedPairs = NewType("ComparedPairs", DataFrame)
COMPARED_PAIRS = columns("better bigint, worse bigint, copy boolean, alike boolean, confidence double")
"""copy: they were shown to be one photograph. alike: they are of one sitting, or were not compared. confidence:
the probability that they are one photograph; null where they were not compared."""

Read = Callable[[Wanted], SmallPictures]
"""What reads pictures from the source."""

_ENDS = ("better", "worse")
_PLACED = ("face_id", "box", "landmarks", "image_width", "image_height")


@dataclass
class Sight:
    """What can see the pictures of images, and how many of those that it was asked for it could not read."""

    read: Read | None = None
    unread: int = field(default=0, init=False)

    def pictures(self, images: Wanted) -> SmallPictures | None:
        """Read the pictures of images, each once; None if there is nothing to read, or nothing to read it with."""
        if images.isEmpty():
            return None
        if self.read is None:
            self.unread += images.count()
            return None
        with batches_of_pictures(images.sparkSession):
            pictures = SmallPictures(checkpointed(self.read(images), large=True))
        self.unread += pictures.where("small IS NULL").count()
        return pictures


def compared(pairs: CandidatePairs, embeddings: Embeddings, sight: Sight) -> ComparedPairs:
    """Compare the pictures of candidate pairs. Pairs of which a picture cannot be read are alike, and no copies."""
    pictures = sight.pictures(_wanted(pairs, embeddings))
    if pictures is None:
        nothing = {"copy": F.lit(False), "alike": F.lit(True), "confidence": F.lit(None).cast("double")}
        return ComparedPairs(pairs.select(*_ENDS).withColumns(nothing))
    placed: DataFrame = pairs
    for end in _ENDS:
        placed = placed.join(_end(embeddings, pictures, end), on=[end, f"{end}_face"], how="inner")
    asked = [F.col(f"{end}_{name}") for end in _ENDS for name in (*_PLACED[1:], "width", "small")]
    return ComparedPairs(placed.select(*_ENDS, "mirrored", "turn", *asked).mapInArrow(_comparison, COMPARED_PAIRS))


def _wanted(pairs: DataFrame, embeddings: Embeddings) -> Wanted:
    ends = pairs.select(F.explode(F.array(*_ENDS)).alias("image_id")).distinct()
    images = embeddings.select("image_id", "uri", "sha256").dropDuplicates(["image_id"])
    return Wanted(checkpointed(images.join(ends, on="image_id", how="left_semi")))


def _end(embeddings: Embeddings, pictures: SmallPictures, end: str) -> DataFrame:
    """Where one face of a pair lies, and the picture of its image, in columns that begin with the name of the end."""
    faces = embeddings.select("image_id", *_PLACED).join(pictures, on="image_id", how="inner")
    named: list[Column] = [F.col("image_id").alias(end), F.col("face_id").alias(f"{end}_face")]
    return faces.select(*named, *(F.col(name).alias(f"{end}_{name}") for name in (*_PLACED[1:], "width", "small")))


def _comparison(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        rows = [_compared(pair) for pair in batch.to_pylist()]
        kinds = (pa.int64(), pa.int64(), pa.bool_(), pa.bool_(), pa.float64())
        cells = zip(*rows, strict=True) if rows else ((),) * len(kinds)
        arrays = [pa.array(column, kind) for column, kind in zip(cells, kinds, strict=True)]
        yield pa.RecordBatch.from_arrays(arrays, COMPARED_PAIRS.names)


def _compared(pair: dict[str, Any]) -> tuple[int, int, bool, bool, float | None]:
    ids = pair["better"], pair["worse"]
    if any(pair[f"{end}_small"] is None or pair[f"{end}_box"] is None for end in _ENDS):
        return *ids, False, True, None
    views, mirrored = [_view(pair, end) for end in _ENDS], pair["mirrored"]
    boxes = [tuple(pair[f"{end}_box"].values()) for end in _ENDS]
    points = [face_points(pair[f"{end}_landmarks"], box) for end, box in zip(_ENDS, boxes, strict=True)]
    starts = (
        by_points(points[0], points[1], mirrored=mirrored),
        by_frames(views[0].size, views[1].size, mirrored=mirrored, turn=pair["turn"]),
    )
    agreement = likeness(views[0], views[1], starts, boxes[0])
    if agreement is None:
        return *ids, False, False, 0.0
    return *ids, shows_copy(agreement), is_alike(agreement), probability(agreement)


def _view(pair: dict[str, Any], end: str) -> View:
    grey = np.frombuffer(pair[f"{end}_small"], np.uint8).reshape(-1, pair[f"{end}_width"])
    return View(grey, (pair[f"{end}_image_width"], pair[f"{end}_image_height"]))

"""What every source of images gives: a frame of its images, what it ignored, and a way to fetch one image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NewType, Protocol

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as T

SourceImages = NewType("SourceImages", DataFrame)
"""One row per image, with the columns of SOURCE_IMAGES."""

SOURCE_IMAGES = T.StructType(
    [
        T.StructField("uri", T.StringType()),
        T.StructField("size", T.LongType()),
        # Null where the source keeps no time of modification.
        T.StructField("modified", T.TimestampType()),
        # Null where the source itself names no identity.
        T.StructField("identity", T.StringType()),
        # Null where a worker fetches the image by its uri.
        T.StructField("content", T.BinaryType()),
    ]
)

Fetch = Callable[[str], bytes]
"""From a uri to the content. It can be pickled, and raises OSError."""


@dataclass(frozen=True)
class Ignored:
    """What was below the root and is no image: how many, and the most frequent kinds (suffixes) with their counts."""

    files: int = 0
    kinds: tuple[tuple[str, int], ...] = ()


class Source(Protocol):
    """Where images come from. Nothing in a source ever writes."""

    @property
    def carries_content(self) -> bool:
        """Whether `images` has the content; else workers fetch it."""

    def check(self) -> None:
        """Raise ConfigError if there is no such place, or no image in it."""

    def images(self, spark: SparkSession, *, content: bool = True) -> SourceImages:
        """Return one row per image. Without `content` only the uris are right, and they come cheaply."""

    def rows(self) -> int | None:
        """Return how many images there are by what the source says itself; None where only the list tells."""

    def ignored(self, spark: SparkSession) -> Ignored:
        """Count what was not taken for an image."""

    def fetch(self) -> Fetch:
        """Return what fetches one image."""

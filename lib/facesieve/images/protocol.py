"""What every source of images gives: a frame of its images, what it ignored, and a way to fetch one image."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, NewType, Protocol

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


class BadContent(OSError):
    """What a source can never give, as long as its files stay: the words become the detail of the image's reject.

    The source lists such an image with size 0.
    """

    def __init__(self, words: str) -> None:
        super().__init__(errno.EINVAL, words)
        self.words = words

    def __reduce__(self) -> tuple[type[BadContent], tuple[str]]:
        return type(self), (self.words,)


class Sort(StrEnum):
    """What may be lost with a thing that was ignored."""

    LITTER = "litter"
    """What programs leave beside images: a pattern of `images.ignore` names it."""
    NO_IMAGE = "no image"
    MAYBE = "could be an image"
    """By its suffix, by its content, or because it is a link that was not followed."""
    UNREADABLE = "not readable"
    """Nobody knows what it is, or what is below it."""


class IgnoredKind(NamedTuple):
    """Things of one kind that were ignored: a suffix, a pattern or words; how many; and the uri of one of them."""

    kind: str
    sort: Sort
    files: int
    example: str = ""


@dataclass(frozen=True)
class Ignored:
    """What was below the root and is no image of the run: every kind, the most frequent first."""

    kinds: tuple[IgnoredKind, ...] = ()

    @property
    def files(self) -> int:
        """How many things were ignored; a folder that cannot be read, and a link to a folder, count as one."""
        return sum(kind.files for kind in self.kinds)

    def of(self, *sorts: Sort) -> Ignored:
        """Return what is of one of these sorts."""
        return Ignored(tuple(kind for kind in self.kinds if kind.sort in sorts))

    def by_sort(self) -> dict[str, dict[str, int]]:
        """Return sort -> kind -> count, as the ledger keeps it."""
        return {
            sort.value: {each.kind: each.files for each in self.of(sort).kinds} for sort in Sort if self.of(sort).kinds
        }


class Source(Protocol):
    """Where images come from. Nothing in a source ever writes."""

    @property
    def carries_content(self) -> bool:
        """Whether `images` has the content; else workers fetch it."""

    def check(self) -> None:
        """Raise ConfigError if there is no such place, or no image in it."""

    def images(self, spark: SparkSession, *, content: bool = True) -> SourceImages:
        """Return one row per image. Without `content` uri and identity alone are right, and come cheaply."""

    def rows(self) -> int | None:
        """Return how many images there are by what the source says itself; None where only the list tells."""

    def count(self, spark: SparkSession) -> int:
        """Return how many images there are."""

    def state(self, spark: SparkSession) -> str | None:
        """Digest all that decides whether an image must be read again; None where only the content tells."""

    def ignored(self, spark: SparkSession) -> Ignored:
        """Count what was not taken for an image."""

    def fetch(self) -> Fetch:
        """Return what fetches one image."""

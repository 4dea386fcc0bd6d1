"""What every form of pack gives: pieces of its files for as many tasks, records of a piece, one image by its place.

A form knows nothing of Spark. What is wrong with one record is a row of its own (`Record.problem`), and the same
sentence is raised by whoever fetches it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from facesieve.core.errors import Fault
from facesieve.images.packs.byte_ranges import ByteRanges
from facesieve.images.packs.locators import Locator
from facesieve.images.storage import Storage


class PackFile(NamedTuple):
    """A file below the root: its uri, bytes, microseconds since 1970."""

    uri: str
    size: int
    modified: int | None


class Piece(NamedTuple):
    """A part of a pack, fit for one task: the bytes from `start` to `end` of the file, or of its index where one is."""

    file: str
    start: int
    end: int
    modified: int | None
    index_file: str = ""


COVERED = "bytes that an index names"
"""A kind of record that counts bytes: those of a pack that the entries of one piece of its index stand for."""


class Record(NamedTuple):
    """An image of a pack; or a record that is none (`kind`); or one that cannot be read (`problem`, a sentence).

    size: of the image in bytes; null where nobody knows.
    """

    at: Locator
    size: int | None = None
    identity: str | None = None
    kind: str = ""
    problem: str = ""


class Form(Protocol):
    """How packs of one form are read. It can be pickled."""

    @property
    def what(self) -> str:
        """Say what a file of this form is, for messages: `a .rec file`."""

    def is_pack(self, name: str) -> bool:
        """Say by the name whether a file is a pack of this form."""

    def is_companion(self, name: str) -> bool:
        """Say whether a file belongs to a pack, and is no pack itself."""

    def pieces(self, files: Sequence[PackFile], companions: Sequence[PackFile], wanted: int) -> list[Piece]:
        """Cut packs into at least `wanted` pieces, if they are long enough for that."""

    def faults(self, storage: Storage, files: Sequence[PackFile], companions: Sequence[PackFile]) -> list[Fault]:
        """Say what keeps packs from being read at all. Raises OSError."""

    def records(self, storage: Storage, piece: Piece) -> Iterator[Record]:
        """Yield every record that begins in a piece. Raises OSError where the file cannot be read at all."""

    def content(self, ranges: ByteRanges, at: Locator) -> bytes:
        """Return one image. Raises BadContent, with the sentence that `records` has of it, and OSError."""


def cut(files: Sequence[PackFile], wanted: int, least: int) -> Iterator[tuple[PackFile, int, int]]:
    """Cut files into `wanted` ranges of about equal length in all, none shorter than `least` bytes unless its file is.

    >>> [each[1:] for each in cut([PackFile("a", 10, None), PackFile("b", 3, None)], 4, 2)]
    [(0, 4), (4, 8), (8, 10), (0, 3)]
    """
    total = sum(file.size for file in files)
    length = max(1, least, -(-total // max(1, wanted)))
    for file in files:
        for start in range(0, file.size, length):
            yield file, start, min(start + length, file.size)


def pieces_of(files: Sequence[PackFile], wanted: int, least: int) -> list[Piece]:
    """Return the ranges of `cut` as pieces of files that have no index."""
    return [Piece(file.uri, start, end, file.modified) for file, start, end in cut(files, wanted, least)]

"""`images.format = "msceleb"`: lines of MS-Celeb-1M, cells between tabs, with the image in base64 and no header.

The release has four forms. Two have 6 columns, which are told apart by their third cell: the rank of a search, or the
address of an image.

| columns | MID | image | name of the image |
| --- | --- | --- | --- |
| 7: MID, rank, image URL, page URL, face, rectangle, image | 1 | 7 | MID/rank-face.jpg |
| 6: MID, query, rank, image URL, page URL, image | 1 | 6 | MID/rank.jpg |
| 6: MID, name, image URL, face, rectangle, image | 1 | 6 | MID/face.jpg |
| 5: image, base64, MID, rank, image URL | 3 | 2 | MID/image.jpg |

The names of the first form are those of the clean lists that people publish for the set.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from facesieve.core.errors import Fault
from facesieve.images.content import HEAD
from facesieve.images.packs.byte_ranges import ByteRanges, byte_ranges
from facesieve.images.packs.locators import Locator, with_suffix
from facesieve.images.packs.records import PackFile, Piece, Record, pieces_of
from facesieve.images.packs.text_lines import line_at, lines
from facesieve.images.protocol import BadContent
from facesieve.images.storage import Storage

_LEAST = 8 << 20  # bytes that are worth a task
_MOST_LINE = 256 << 20
_MOST_TEXT = 1_024  # bytes of a cell that are read as text


class Cells(NamedTuple):
    """What a line says: the MID of the person, the name of the image without its suffix, the image in base64."""

    mid: str
    name: str
    image: bytes


@dataclass(frozen=True)
class MSCeleb:
    """Files of MS-Celeb-1M."""

    what: str = "a .tsv file"

    def is_pack(self, name: str) -> bool:
        """Say whether a file is named as one of lines."""
        return name.lower().endswith(".tsv")

    def is_companion(self, name: str) -> bool:
        """Nothing lies beside the files."""
        return False

    def pieces(self, files: Sequence[PackFile], companions: Sequence[PackFile], wanted: int) -> list[Piece]:
        """Cut the files."""
        return pieces_of(files, wanted, _LEAST)

    def faults(self, storage: Storage, files: Sequence[PackFile], companions: Sequence[PackFile]) -> list[Fault]:
        """Say of the first file whether its first line is none of the forms."""
        with byte_ranges(storage, files[0].uri) as ranges:
            try:
                decoded(cells(line_at(ranges, 0, _MOST_LINE), 0), 0)
            except BadContent as problem:
                fix = "Give lines as MS-Celeb-1M has them: 5, 6 or 7 cells between tabs, one of them base64."
                return [Fault("images.root", f"{files[0].uri}: {problem.words}", fix)]
        return []

    def records(self, storage: Storage, piece: Piece) -> Iterator[Record]:
        """Yield the lines that begin in a part of a file; blank ones count for nothing."""
        with byte_ranges(storage, piece.file, ahead=True) as ranges:
            for offset, line in lines(ranges, piece.start, piece.end, _MOST_LINE):
                if line is None or line.strip():
                    yield _record(Locator(piece.file, offset), line)

    def content(self, ranges: ByteRanges, at: Locator) -> bytes:
        """Return the image of a line."""
        return decoded(cells(line_at(ranges, at.offset, _MOST_LINE), at.offset), at.offset)


def cells(line: bytes | None, offset: int) -> Cells:
    """Read a line; None stands for one that is too long. Raises BadContent if it is of no form of MS-Celeb-1M."""
    if line is None:
        raise BadContent(f"the line at byte {offset} is longer than {_MOST_LINE} bytes: it is not read")
    parts = line.split(b"\t")
    texts = [part[:_MOST_TEXT].decode(errors="backslashreplace").strip() for part in parts]
    if len(parts) == 7:
        return Cells(texts[0], f"{texts[0]}/{texts[1]}-{texts[4]}", parts[6])
    if len(parts) == 6:
        is_rank = texts[2].lstrip("-").isdigit()
        return Cells(texts[0], f"{texts[0]}/{texts[2] if is_rank else texts[3]}", parts[5])
    if len(parts) == 5:
        return Cells(texts[2], f"{texts[2]}/{texts[0]}", parts[1])
    raise BadContent(f"the line at byte {offset} has {len(parts)} cells between tabs, not 5, 6 or 7")


def decoded(line: Cells, offset: int) -> bytes:
    """Return the image of a line. Raises BadContent if it is no base64."""
    try:
        return base64.b64decode(line.image.strip(), validate=True)
    except binascii.Error:
        raise BadContent(f"the line at byte {offset} holds no base64 where its image should be") from None


def _record(at: Locator, line: bytes | None) -> Record:
    try:
        read = cells(line, at.offset)
        image = decoded(read, at.offset)
    except BadContent as problem:
        return Record(at, problem=problem.words)
    return Record(at._replace(name=with_suffix(read.name, image[:HEAD])), len(image), read.mid or None)

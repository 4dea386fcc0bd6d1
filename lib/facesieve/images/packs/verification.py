"""Verification sets of InsightFace as a form of pack: lfw.bin, cfp_fp.bin, agedb_30.bin and the like.

Not for `images.format`: such sets name people to keep out (`decide.protected`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from facesieve.core.errors import Fault
from facesieve.images.kinds import IMAGE_FILE
from facesieve.images.packs import pickled_pairs
from facesieve.images.packs.byte_ranges import ByteRanges, byte_ranges
from facesieve.images.packs.locators import Locator
from facesieve.images.packs.pack_files import pack_files
from facesieve.images.packs.records import PackFile, Piece, Record
from facesieve.images.protocol import BadContent
from facesieve.images.storage import Storage

FORMAT = "verification"


@dataclass(frozen=True)
class Verification:
    """Verification sets, each a pickle that is gone through as a whole."""

    what: str = "a verification set (.bin)"

    def is_pack(self, name: str) -> bool:
        """Say whether a file is named as a verification set."""
        return name.lower().endswith(".bin")

    def is_companion(self, name: str) -> bool:
        """Nothing belongs to a set."""
        return False

    def pieces(self, files: Sequence[PackFile], companions: Sequence[PackFile], wanted: int) -> list[Piece]:
        """Return each file whole: a pickle has no place to begin at but its start."""
        return [Piece(file.uri, 0, file.size, file.modified) for file in files]

    def faults(self, storage: Storage, files: Sequence[PackFile], companions: Sequence[PackFile]) -> list[Fault]:
        """Say of each file whether it is no whole set."""
        faults = list[Fault]()
        for file in files:
            with byte_ranges(storage, file.uri, ahead=True) as ranges:
                try:
                    pickled_pairs.images(ranges)
                except BadContent as problem:
                    fix = "Give whole verification sets, as InsightFace has them."
                    faults.append(Fault("images.root", f"{file.uri} is no verification set: {problem.words}", fix))
        return faults

    def records(self, storage: Storage, piece: Piece) -> Iterator[Record]:
        """Yield the images of a set, by their number."""
        with byte_ranges(storage, piece.file, ahead=True) as ranges:
            for number, image in enumerate(pickled_pairs.images(ranges)):
                yield Record(Locator(piece.file, image.offset, str(number)), image.size)

    def content(self, ranges: ByteRanges, at: Locator) -> bytes:
        """Return one image."""
        return pickled_pairs.content(ranges, at.offset)


def is_verification(place: str) -> bool:
    """Say whether a file is named as a verification set, or a folder holds such files and no image. Raises OSError."""
    listed = pack_files(place, Verification(), ())
    return bool(listed.files) and not any(each.kind == IMAGE_FILE for each in listed.beside)

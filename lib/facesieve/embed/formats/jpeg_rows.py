"""Whether all rows of a JPEG are in its bytes: what was cut off, libjpeg fills with grey and says nothing.

Where one scan holds everything, its bytes are ended here by a few that are no sound code, and by no end marker: the
decoder comes to the last row, or asks for more and fails. It needs those few, since it reads 57 bits ahead; at most the
last two blocks of 8 x 8 pixels can be made of them. A progressive JPEG is whole if all rows have all frequencies of the
brightness, though later scans that only refine them may be cut.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from facesieve.core.reasons import Reason
from facesieve.embed.formats.jpeg_scans import Scans, scans_of

_NO_CODE = b"\xff\0" * 8
"""64 bits of one, written so that they are no marker: ones alone are a code in no table of JPEG."""

_END = b"\xff\xd9"
_NOISE_BYTES = 512
_SEEDS = (1, 2)


@dataclass(frozen=True)
class Rows:
    """The bytes of a JPEG from which exactly the rows that are there can be decoded.

    content: decoding it fails if rows are missing. whole: False if so many scans are missing that the rows are not all
    there. others: must decode to the same pixels, or the last scan is cut. notes: what was mended.
    """

    scans: Scans
    content: bytes
    whole: bool = True
    others: tuple[bytes, ...] = ()
    notes: tuple[Reason, ...] = ()


def rows_of(content: bytes) -> Rows:
    """Prepare a JPEG file for decoding; of kinds that are neither sequential nor progressive nothing is known."""
    scans = scans_of(content)
    if scans.streamed:
        return _streamed(content, scans)
    return _layered(content, scans) if scans.layered else Rows(scans, content)


def _streamed(content: bytes, scans: Scans) -> Rows:
    bare = content[: scans.first_end] if scans.first_end else _without_blanks(content)
    return Rows(scans, bare + _NO_CODE, notes=() if scans.first_end else (Reason.REPAIRED,))


def _layered(content: bytes, scans: Scans) -> Rows:
    """A JPEG whose rows need all scans: whole by those before the last, or by the last if nothing else decides."""
    bare = content[: scans.end] if scans.ended else _without_blanks(content[: scans.end])
    count = len(scans.every)
    notes = () if scans.ended and scans.exact() else (Reason.REPAIRED,)
    if scans.hold_all(count - 1):
        return Rows(scans, bare + _END, notes=notes)
    others = tuple(bare + _noise(seed) + _END for seed in _SEEDS)
    return Rows(scans, bare + _NO_CODE + _END, scans.hold_all(count), others, notes)


def _without_blanks(content: bytes) -> bytes:
    """Leave out the zeros that an interrupted copy ends with, and half a marker.

    One zero stays: it may be a byte of the last block, as of a plain corner, or belong to a byte of ones before it.
    """
    rest = content.rstrip(b"\0")
    return content[: len(rest) + 1].removesuffix(b"\xff")


def _noise(seed: int) -> bytes:
    """Bytes without a marker, which decode to what no other seed's do."""
    return bytes(byte % 255 for byte in random.Random(seed).randbytes(_NOISE_BYTES))

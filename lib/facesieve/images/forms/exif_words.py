"""The turn of a photograph that survives only as words: written back into the picture, where decoders look for it.

img2dataset encodes pictures anew, without EXIF and without turning them. What its column `exif` says of the turn are
the words of ExifRead. The tag is 40 bytes or so; the pixels stay as they are.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable

_WORDS = (
    "Horizontal (normal)",
    "Mirrored horizontal",
    "Rotated 180",
    "Mirrored vertical",
    "Mirrored horizontal then rotated 90 CCW",
    "Rotated 90 CW",
    "Mirrored horizontal then rotated 90 CW",
    "Rotated 90 CCW",
)
"""The words for the values 1 to 8 of the tag. Source: ExifRead 3.5.1, `exifread/tags/exif.py`."""

_TAG = "Image Orientation"
_UPRIGHT = 1
_SOI, _APP0, _APP1 = b"\xff\xd8", 0xE0, 0xE1
_PNG = b"\x89PNG\r\n\x1a\n"
_IHDR_END = len(_PNG) + 25
_HAS_ALPHA, _HAS_EXIF = 0x10, 0x08


def turn_of(exif: str | None) -> int:
    """Return the value of the tag Orientation, 1 to 8, that a text of JSON names in words; 1 where it names none.

    >>> turn_of('{"Image Orientation": "Rotated 90 CW"}'), turn_of(None), turn_of("{}")
    (6, 1, 1)
    """
    if not exif or _TAG not in exif:
        return _UPRIGHT
    try:
        words = json.loads(exif)[_TAG]
    except (ValueError, KeyError, TypeError):
        return _UPRIGHT
    return _WORDS.index(words) + 1 if words in _WORDS else _UPRIGHT


def with_turn(content: bytes, turn: int) -> bytes:
    """Return a JPEG, PNG or WebP with the tag Orientation; one that has EXIF data of its own, or is none, as it is."""
    if turn == _UPRIGHT:
        return content
    for start, tagged in _TAGGED:
        if content.startswith(start):
            return tagged(content, _tiff(turn))
    return content


def _tiff(turn: int) -> bytes:
    """One directory with one entry: tag 0x0112, of one SHORT."""
    return b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x0112, 3, 1, turn, 0, 0)


def _in_jpeg(content: bytes, tiff: bytes) -> bytes:
    """Put a segment APP1 behind the marker of JFIF, unless there is one with EXIF."""
    place, after = len(_SOI), len(_SOI)
    while content[place : place + 1] == b"\xff" and len(content) >= place + 10:
        marker, length = struct.unpack(">xBH", content[place : place + 4])
        if not _APP0 <= marker <= _APP0 + 15:
            break
        if marker == _APP1 and content[place + 4 :].startswith(b"Exif\0"):
            return content
        place += 2 + length
        after = place if marker == _APP0 else after
    body = b"Exif\0\0" + tiff
    segment = struct.pack(">BBH", 0xFF, _APP1, len(body) + 2) + body
    return content[:after] + segment + content[after:]


def _in_png(content: bytes, tiff: bytes) -> bytes:
    """Put a chunk eXIf behind the header, unless there is one."""
    place = _IHDR_END
    while len(content) >= place + 8:
        length, name = struct.unpack(">I4s", content[place : place + 8])
        if name == b"eXIf":
            return content
        place += 12 + length
    body = b"eXIf" + tiff
    chunk = struct.pack(">I", len(tiff)) + body + struct.pack(">I", zlib.crc32(body))
    return content[:_IHDR_END] + chunk + content[_IHDR_END:]


def _in_webp(content: bytes, tiff: bytes) -> bytes:
    """Put a chunk EXIF at the end, and its flag into the header of an extended file, unless there is one."""
    kind, body = content[12:16], content[20:]
    if kind == b"VP8X" and len(body) >= 10:
        if body[0] & _HAS_EXIF:
            return content
        chunks = content[12:20] + bytes([body[0] | _HAS_EXIF]) + body[1:]
    elif kind in (b"VP8 ", b"VP8L") and len(body) >= 10:
        chunks = _extended(kind, body) + content[12:]
    else:
        return content
    chunks += b"\0" * (len(chunks) % 2) + b"EXIF" + struct.pack("<I", len(tiff)) + tiff
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WEBP" + chunks


def _extended(kind: bytes, body: bytes) -> bytes:
    """Return the header VP8X of a simple file, whose size stands in its frame or in its bits."""
    if kind == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        width, height, alpha = bits & 0x3FFF, bits >> 14 & 0x3FFF, bits >> 28 & 1
    else:
        sizes = struct.unpack("<HH", body[6:10])
        width, height, alpha = (sizes[0] & 0x3FFF) - 1, (sizes[1] & 0x3FFF) - 1, 0
    flags = _HAS_EXIF | (_HAS_ALPHA if alpha else 0)
    size = width.to_bytes(3, "little") + height.to_bytes(3, "little")
    return b"VP8X" + struct.pack("<IB3x", 10, flags) + size


_TAGGED: tuple[tuple[bytes, Callable[[bytes, bytes], bytes]], ...] = (
    (_SOI, _in_jpeg),
    (_PNG, _in_png),
    (b"RIFF", _in_webp),
)

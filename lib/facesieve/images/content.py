"""What a file is by its first bytes."""

from __future__ import annotations

import re
from typing import NamedTuple

HEAD = 512
"""So many bytes at the beginning of a file are enough."""


class _Signature(NamedTuple):
    """How files of a format begin, and the suffixes that they usually have."""

    start: re.Pattern[bytes]
    suffixes: tuple[str, ...]


def _begins(pattern: bytes, *suffixes: str) -> _Signature:
    return _Signature(re.compile(pattern, re.DOTALL), suffixes)


_SIGNATURES = (
    _begins(rb"\xff\xd8\xff", ".jpg", ".jpeg", ".jpe", ".jfif"),
    _begins(rb"\x89PNG\r\n\x1a\n", ".png"),
    _begins(rb"RIFF.{4}WEBP", ".webp"),
    _begins(rb"BM.{4}\0{4}.{4}[\x0c\x28\x34\x38\x40\x6c\x7c]\0{3}", ".bmp"),  # the size of a header that is in use
    _begins(rb"P[1-6](?:\s|#[^\n]*\n)+\d", ".ppm", ".pgm", ".pnm", ".pbm"),
    _begins(rb"GIF8[79]a", ".gif"),
    _begins(rb"II\x2a\0|MM\0\x2a|II\x2b\0|MM\0\x2b", ".tif", ".tiff"),
    _begins(rb".{4}ftypavi[fs]", ".avif"),
    _begins(rb".{4}ftyp(?:hei[cxms]|hev[cx]|mif1|msf1)", ".heic", ".heif"),
    _begins(rb"\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51", ".jp2", ".j2k"),
    _begins(rb"\xff\x0a|\0\0\0\x0cJXL \r\n\x87\n", ".jxl"),
    _begins(rb"8BPS\0[\x01\x02]", ".psd"),
    _begins(rb"PK\x03\x04", ".zip"),
    _begins(rb".{257}ustar", ".tar"),
    _begins(rb"\x1f\x8b\x08", ".gz"),
    _begins(rb"7z\xbc\xaf\x27\x1c", ".7z"),
    _begins(rb"Rar!\x1a\x07", ".rar"),
    _begins(rb"PAR1", ".parquet"),
)


def suffixes_of(head: bytes) -> tuple[str, ...]:
    r"""Return the usual suffixes of the format that begins so, the most usual first; none if it is no known one.

    head: the first HEAD bytes of a file, or all that it has.

    >>> suffixes_of(b"\xff\xd8\xff\xe0"), suffixes_of(b"BMW, Audi")
    (('.jpg', '.jpeg', '.jpe', '.jfif'), ())
    """
    return next((each.suffixes for each in _SIGNATURES if each.start.match(head)), ())

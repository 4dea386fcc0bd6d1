"""The size of a JPEG XL picture by its header: the decoder tells it only after it has decoded everything.

Source: ISO/IEC 18181-1 (the size header of the codestream) and 18181-2 (the boxes of a file).
"""

from __future__ import annotations

import struct

_SIGNATURE = b"\xff\x0a"
_CONTAINER = b"\0\0\0\x0cJXL \r\n\x87\n"
_BITS = (9, 13, 18, 30)
"""How many bits a side may have, by the two bits before it."""

_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
"""Width by height, where the header gives the height alone."""

_HEAD = 16


def jxl_size(content: bytes) -> tuple[int, int] | None:
    """Return width and height of a JPEG XL file as stored, in pixels; None if the header cannot be read.

    The smallest file of 8 x 8 pixels begins so: small sides, height 8, width of the ratio 1.

    >>> jxl_size(bytes([0xFF, 0x0A, 0b01000001, 0]))
    (8, 8)
    """
    stream = _codestream(content)
    if not stream.startswith(_SIGNATURE):
        return None
    bits = _Bits(stream[len(_SIGNATURE) : _HEAD])
    small = bits.take(1)
    height = _side(bits, small)
    ratio = bits.take(3)
    across, down = _RATIOS[ratio - 1]
    width = height * across // down if ratio else _side(bits, small)
    return None if bits.spent else (width, height)


def _side(bits: _Bits, small: int) -> int:
    return (bits.take(5) + 1) * 8 if small else bits.take(_BITS[bits.take(2)]) + 1


class _Bits:
    """Bits of a stream, the lowest of each byte first; behind the end come zeros."""

    def __init__(self, content: bytes) -> None:
        self._number = int.from_bytes(content, "little")
        self._left = 8 * len(content)

    @property
    def spent(self) -> bool:
        """Whether more was taken than there is."""
        return self._left < 0

    def take(self, count: int) -> int:
        """Return the number that the next bits are."""
        value = self._number & ((1 << count) - 1)
        self._number >>= count
        self._left -= count
        return value


def _codestream(content: bytes) -> bytes:
    """Return the beginning of the codestream, out of its box where there are boxes; empty if there is none."""
    if not content.startswith(_CONTAINER):
        return content[:_HEAD]
    place = len(_CONTAINER)
    while place + 8 <= len(content):
        size, kind = struct.unpack_from(">I4s", content, place)
        head = 8
        if size == 1 and place + 16 <= len(content):
            (size,), head = struct.unpack_from(">Q", content, place + 8), 16
        if kind in (b"jxlc", b"jxlp"):
            start = place + head + (4 if kind == b"jxlp" else 0)  # a part has its number first
            return content[start : start + _HEAD]
        if size < head:
            return b""
        place += size
    return b""

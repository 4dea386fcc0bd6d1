"""The lines of a part of a large text file, each in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator

from facesieve.images.packs.byte_ranges import ByteRanges

_BLOCK = 256 << 10


def lines(ranges: ByteRanges, start: int, end: int, most: int) -> Iterator[tuple[int, bytes | None]]:
    """Yield every line that begins from `start` to `end`: its first byte, and the line without its end.

    A line of more than `most` bytes is None. The parts of a file have all of its lines, each once. Raises OSError.
    """
    first = 0 if start == 0 else None  # a line that began before belongs to the part before
    line, length = bytearray(), 0
    for at, block in _blocks(ranges, max(0, start - 1)):
        begin = 0
        while (place := block.find(b"\n", begin)) >= 0:
            if first is not None:
                yield first, _whole(line + block[begin:place], length + place - begin, most)
            first, begin, length = at + place + 1, place + 1, 0
            line.clear()
            if first >= end:
                return
        length += len(block) - begin
        line += block[begin:] if length <= most + 1 else b""
    if length and first is not None:
        yield first, _whole(line, length, most)


def line_at(ranges: ByteRanges, start: int, most: int) -> bytes | None:
    """Return the line that begins at a byte, without its end; None if it has more than `most` bytes. Raises OSError.

    Little is read beyond the line.
    """
    line, block = bytearray(), ranges.least
    while len(line) <= most + 1:
        more = ranges.read(start + len(line), block)
        place = more.find(b"\n")
        if place >= 0 or not more:
            line += more[:place] if place >= 0 else b""
            return _whole(line, len(line), most)
        line += more
        block *= 2
    return None


def _whole(line: bytearray, length: int, most: int) -> bytes | None:
    text = bytes(line).removesuffix(b"\r")
    return text if len(line) == length and len(text) <= most else None


def _blocks(ranges: ByteRanges, start: int) -> Iterator[tuple[int, bytes]]:
    for at in range(start, ranges.size, _BLOCK):
        yield at, ranges.read(at, _BLOCK)

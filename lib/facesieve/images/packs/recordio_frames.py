"""The frames of RecordIO (dmlc): where a record lies in a .rec file, and its bytes.

A record is the magic number, a word of 3 bits flag and 29 bits length, and the payload, filled up to 4 bytes; all is
little-endian. A writer splits a payload where the magic stands in it at a border of 4 bytes, and leaves the magic out:
the flag says whether a part is whole (0), the first (1), the last (3) or between (2). So a magic number at such a
border begins a part, and reading can begin anywhere.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from facesieve.images.packs.byte_ranges import MOST_BYTES, ByteRanges
from facesieve.images.protocol import BadContent

MAGIC = struct.pack("<I", 0xCED7230A)
_HEAD = struct.Struct("<4sI")
_LENGTH_BITS = 29
_WHOLE, _FIRST, _BETWEEN, _LAST = range(4)
_MOST_PARTS = 4_096
_BLOCK = 1 << 20


class Frame(NamedTuple):
    """A record: where it begins, where each part of its payload lies (first byte, length), and where it ends."""

    offset: int
    parts: tuple[tuple[int, int], ...]
    end: int

    @property
    def size(self) -> int:
        """Bytes of the payload, with a magic number between two parts."""
        return sum(length for _, length in self.parts) + len(MAGIC) * (len(self.parts) - 1)


def frame(ranges: ByteRanges, offset: int) -> Frame:
    """Find the record that begins at a byte. Raises BadContent if none does, or if it is not whole; OSError."""
    parts, at, flag = list[tuple[int, int]](), offset, _FIRST
    while flag in (_FIRST, _BETWEEN):
        flag, length = _part(ranges, at, offset)
        if (flag in (_WHOLE, _FIRST)) != (not parts) or len(parts) == _MOST_PARTS:
            raise BadContent(f"the record at byte {offset} is broken: its parts do not fit together at byte {at}")
        parts.append((at + _HEAD.size, length))
        at += _HEAD.size + length + -length % 4
    whole = Frame(offset, tuple(parts), at)
    if whole.size > MOST_BYTES:
        raise BadContent(f"the record at byte {offset} says that it has {whole.size} bytes: it is not read")
    _refuse_swallowed(ranges, whole)
    return whole


def payload(ranges: ByteRanges, whole: Frame, most: int | None = None) -> bytes:
    """Return the payload of a record, or its first `most` bytes. Raises OSError."""
    content = b""
    for part, (start, length) in enumerate(whole.parts):
        content += MAGIC if part else b""
        content += ranges.read(start, length if most is None else max(0, min(length, most - len(content))))
        if most is not None and len(content) >= most:
            return content[:most]
    return content


def next_record(ranges: ByteRanges, start: int, end: int) -> int | None:
    """Return where the first record from `start` on, and before `end`, begins; None if none does. Raises OSError."""
    at = start + -start % 4
    while at < end:
        block = ranges.read(at, min(_BLOCK, end - at + len(MAGIC)) + _HEAD.size)
        place = block.find(MAGIC)
        while place >= 0:
            if place % 4 == 0 and at + place < end and _flag(block, place) in (_WHOLE, _FIRST):
                return at + place
            place = block.find(MAGIC, place + 1)
        at += _BLOCK
    return None


def no_record(at: int) -> str:
    """Say that no record begins at a byte."""
    return f"no record begins at byte {at}: the magic number is not there"


def _part(ranges: ByteRanges, at: int, record: int) -> tuple[int, int]:
    head = ranges.read(at, _HEAD.size)
    if at == record and at >= ranges.size:
        raise BadContent(f"the record at byte {record} is not there: the file ends at byte {ranges.size}")
    if len(head) < _HEAD.size:
        raise BadContent(f"the record at byte {record} is cut: the file ends at byte {ranges.size}")
    magic, word = _HEAD.unpack(head)
    if magic != MAGIC:
        raise BadContent(no_record(at))
    flag, length = word >> _LENGTH_BITS, word & ((1 << _LENGTH_BITS) - 1)
    if at + _HEAD.size + length > ranges.size:
        raise BadContent(f"the record at byte {record} is cut: the file ends at byte {ranges.size}")
    return flag, length


def _flag(block: bytes, place: int) -> int | None:
    head = block[place : place + _HEAD.size]
    return None if len(head) < _HEAD.size else _HEAD.unpack(head)[1] >> _LENGTH_BITS


def _refuse_swallowed(ranges: ByteRanges, whole: Frame) -> None:
    """Refuse a record whose length is damaged, so that it takes in the next: no record follows it, but one is in it."""
    start, length = whole.parts[-1]
    if whole.end >= ranges.size or ranges.read(whole.end, len(MAGIC)) == MAGIC:
        return
    if next_record(ranges, start, start + length) is not None:
        raise BadContent(f"the record at byte {whole.offset} is broken: it runs into the next")

"""The frames of TFRecord: where a record lies in the file, and its bytes, both proved by their checksums.

A record is its length (8 bytes), the masked CRC-32C of these, the data, and the masked CRC-32C of that; all is
little-endian. TensorFlow ends at the first damage. Here the next length with a right checksum begins the next record.
So reading can begin anywhere as well.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from facesieve.images.packs.byte_ranges import MOST_BYTES, ByteRanges
from facesieve.images.packs.kernels.crc32c import WINDOW, crc32c, masked, masked_windows
from facesieve.images.protocol import BadContent

_HEAD = struct.Struct("<QI")
_CRC = struct.Struct("<I")
_BLOCK = 1 << 20


class Damaged(BadContent):
    """The data of a record is damaged, and its length is not: the record ends at byte `end`."""

    def __init__(self, sentence: str, end: int) -> None:
        super().__init__(sentence)
        self.end = end

    def __reduce__(self) -> tuple[type[Damaged], tuple[str, int]]:  # type: ignore[override]
        return type(self), (self.words, self.end)


class Frame(NamedTuple):
    """The data of a record, and where the record ends in its file."""

    data: bytes
    end: int


def frame(ranges: ByteRanges, offset: int) -> Frame:
    """Read the record that begins at a byte. Raises Damaged, BadContent if none does or it is not whole; OSError."""
    length = record_length(ranges, offset)
    start = offset + _HEAD.size
    end = start + length + _CRC.size
    if end > ranges.size:
        raise BadContent(f"the record at byte {offset} is cut: the file ends at byte {ranges.size}")
    body = ranges.read(start, length + _CRC.size)
    data, (crc,) = body[:length], _CRC.unpack(body[length:])
    if masked(crc32c(data)) != crc:
        raise Damaged(f"the record at byte {offset} is damaged: its checksum is another", end)
    return Frame(data, end)


def record_length(ranges: ByteRanges, offset: int) -> int:
    """Return the length of the record's data. Raises BadContent if no record begins at the byte; OSError."""
    head = ranges.read(offset, _HEAD.size)
    if len(head) < _HEAD.size:
        raise BadContent(f"the record at byte {offset} is cut: the file ends at byte {ranges.size}")
    length, crc = _HEAD.unpack(head)
    if masked(crc32c(head[:WINDOW])) != crc:
        raise BadContent(f"no record begins at byte {offset}: the checksum of its length is another")
    if length > MOST_BYTES:
        raise BadContent(f"the record at byte {offset} says that it has {length} bytes: it is not read")
    return int(length)


def next_record(ranges: ByteRanges, start: int, end: int) -> int | None:
    """Return where the first record at or after `start`, and before `end`, begins; None if none does. Raises OSError.

    A length below MOST_BYTES with its checksum begins a record: of random bytes, less than one in 2^60 does.
    """
    for at in range(start, min(end, ranges.size), _BLOCK):
        block = ranges.read(at, min(_BLOCK, end - at) + _HEAD.size - 1)
        matches = masked_windows(block[: -_CRC.size]) == _words(block[WINDOW:])
        for place in np.flatnonzero(matches).tolist():
            if _HEAD.unpack_from(block, place)[0] <= MOST_BYTES:
                return at + int(place)
    return None


def _words(data: bytes) -> npt.NDArray[np.uint32]:
    """Return the word of 32 bits that begins at each byte but the last three."""
    numbers = np.frombuffer(data, np.uint8).astype(np.uint32)
    count = max(0, len(numbers) - 3)
    words = np.zeros(count, np.uint32)
    for place in range(4):
        words |= numbers[place : place + count] << np.uint32(8 * place)
    return words

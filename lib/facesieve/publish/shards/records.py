"""RecordIO as MXNet reads it: a part of `train.rec`, written by one task, and how records are framed.

A record is a magic number, three bits of flag with 29 bits of length, and the payload, padded to four bytes. A payload
that holds the magic at a border of four bytes is split there: the magic is left out, and the reader puts it back.
Source: dmlc-core, `src/recordio.cc`; the payload's header IfQQ: MXNet, `python/mxnet/recordio.py`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO

from facesieve.core.errors import ContractError
from facesieve.images.storage import Storage
from facesieve.publish.face_crops import Row
from facesieve.publish.shards.writing import Shard

MAGIC = struct.pack("<I", 0xCED7230A)
LARGEST = 2**29 - 1
"""Bytes of a payload, for which there are 29 bits."""
LARGEST_LABEL = 2**24
"""Up to here float32, in which a record holds its label, knows every whole number."""

_WHOLE, _BEGIN, _MIDDLE, _END = range(4)


def framed(payload: bytes) -> bytes:
    """Return a record with its frame. Raises ContractError if it is too large for one.

    >>> framed(b"abcde").hex()
    '0a23d7ce050000006162636465000000'
    """
    if len(payload) > LARGEST:
        raise ContractError(f"a record of {len(payload)} bytes is too large for RecordIO, which has {LARGEST}")
    parts = _parts(payload)
    flags = [_WHOLE] if len(parts) == 1 else [_BEGIN, *[_MIDDLE] * (len(parts) - 2), _END]
    frames = [MAGIC + struct.pack("<I", flag << 29 | len(part)) + part for flag, part in zip(flags, parts, strict=True)]
    return b"".join(frames) + b"\0" * (-len(payload) % 4)


def payload(number: int, label: int, content: bytes) -> bytes:
    """Return what a record holds: flag 0, the label as float32, the number, 0, and the picture."""
    return struct.pack("<IfQQ", 0, float(label), number, 0) + content


@dataclass(frozen=True)
class RecordForm:
    """Begins parts. Beside each stands an index: number and offset in the part, a line for each record."""

    folder: Storage

    @contextmanager
    def __call__(self, file: IO[bytes], path: str) -> Iterator[Shard]:
        """Begin a part in a local file."""
        part = _Part(file)
        yield part
        self.folder.write(index_of(path), "".join(part.lines).encode("ascii"))


def index_of(path: str) -> str:
    """Return the name of the index of a part, or of a whole file of records."""
    return f"{path.removesuffix('.rec')}.idx"


@dataclass
class _Part:
    file: IO[bytes]
    lines: list[str] = field(default_factory=list)

    def add(self, sample: Row, content: bytes) -> None:
        """Write a record, and note where it begins."""
        self.lines.append(f"{sample['number']}\t{self.file.tell()}\n")
        self.file.write(framed(payload(sample["number"], sample["label"], content)))


def _parts(payload: bytes) -> list[bytes]:
    """Split a payload at each magic that begins at a border of four bytes."""
    parts, start, at = [], 0, payload.find(MAGIC)
    while at >= 0:
        if at % 4 == 0:
            parts.append(payload[start:at])
            start = at + len(MAGIC)
        at = payload.find(MAGIC, start if at % 4 == 0 else at + 1)
    return [*parts, payload[start:]]

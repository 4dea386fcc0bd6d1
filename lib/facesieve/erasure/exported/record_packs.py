"""Packs of the export `recordio` without the records of a subject: the records, their index and their list.

Which record is of which sample stands in the record itself, so that a pack whose index is of a former pack, as a kill
leaves it, is read aright.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator
from typing import BinaryIO

from facesieve.erasure.exported.manifest import Manifest
from facesieve.erasure.exported.own_files import content_of, opened
from facesieve.images.storage import Storage
from facesieve.publish.exports import whole_file
from facesieve.publish.shards.records import MAGIC, index_of

_FRAME = struct.Struct("<4sI")
_HEADER = struct.Struct("<IfQQ")
"""Of a payload, by MXNet (`python/mxnet/recordio.py`): flag, label, number, 0."""
_LENGTH_BITS, _BEGIN, _MIDDLE = 29, 1, 2


def take_from_packs(folder: Storage, manifest: Manifest) -> None:
    """Write the packs anew that hold the subject. Raises OSError, or one of NOT_WHOLE."""
    for path in manifest.paths:
        numbers = manifest.numbers(path)
        new = whole_file(folder, path), whole_file(folder, index_of(path))
        with opened(folder, path) as former, new[0] as pack, new[1] as index:
            for record in records(former):
                number = _HEADER.unpack_from(record, _FRAME.size)[2]
                if number not in numbers:
                    index.write(f"{number}\t{pack.tell()}\n".encode("ascii"))
                    pack.write(record)
        _take_lines(folder, f"{path.removesuffix('.rec')}.lst", numbers)


def records(pack: BinaryIO) -> Iterator[bytes]:
    """Yield each record with its frames and padding, as it stands. Raises ValueError for a pack that is not whole."""
    parts: list[bytes] = []
    while frame := pack.read(_FRAME.size):
        magic, packed = _FRAME.unpack(frame) if len(frame) == _FRAME.size else (b"", 0)
        flag, size = packed >> _LENGTH_BITS, packed & (1 << _LENGTH_BITS) - 1
        content = pack.read(size + -size % len(MAGIC))
        if magic != MAGIC or len(content) < size:
            raise ValueError("the pack is cut, or no RecordIO")
        parts += [frame, content]
        if flag not in (_BEGIN, _MIDDLE):
            record, parts = b"".join(parts), []
            if len(record) < _FRAME.size + _HEADER.size:
                raise ValueError("a record of the pack has no header")
            yield record


def picture_of(record: bytes) -> bytes:
    """Return the picture in a record: its parts joined by the magic at which they were split, without the header."""
    parts, at = list[bytes](), 0
    while at < len(record):
        size = _FRAME.unpack_from(record, at)[1] & (1 << _LENGTH_BITS) - 1
        parts.append(record[at + _FRAME.size : at + _FRAME.size + size])
        at += _FRAME.size + size + -size % len(MAGIC)
    return MAGIC.join(parts)[_HEADER.size :]


def _take_lines(folder: Storage, name: str, numbers: Collection[int]) -> None:
    lines = content_of(folder, name).decode("utf-8-sig").split("\n")
    staying = [line for line in lines if not line.strip() or int(line.partition("\t")[0]) not in numbers]
    folder.write(name, "\n".join(staying).encode("utf-8"))

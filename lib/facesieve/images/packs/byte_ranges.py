"""Ranges of bytes of one file: a part of a pack is read without the rest, near or far."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa

from facesieve.core.errors import first_line
from facesieve.images.patience import answered, judge, patiently
from facesieve.images.storage import Storage
from facesieve.images.uris import to_name

MOST_BYTES = 1 << 30
"""A longer record is never read: it is the greatest value of `embed.max_bytes`."""

_NEAR, _FAR = 4 << 10, 16 << 10
"""Bytes that are read at least, on this machine and elsewhere: the head of a record and often all of it."""
_NEAR_AHEAD, _FAR_AHEAD = 64 << 10, 1 << 20
"""The same for who goes through a file."""


class ByteRanges:
    """Reads ranges of one file of `size` bytes, `least` bytes at once. Its use is that of one thread."""

    def __init__(self, storage: Storage, uri: str, size: int, source: int | pa.NativeFile, least: int) -> None:
        self.uri, self.size, self.least = uri, size, least
        self._storage, self._source = storage, source
        self._window, self._first = b"", 0

    def read(self, offset: int, length: int) -> bytes:
        """Return `length` bytes from `offset` on, fewer only where the file ends. Raises OSError."""
        length = max(0, min(length, self.size - offset))
        last = self._first + len(self._window)
        if not (self._first <= offset and offset + length <= last):
            if length >= self.least:
                return self._at(offset, length)
            self._window, self._first = self._at(offset, self.least), offset
        at = offset - self._first
        return self._window[at : at + length]

    def _at(self, offset: int, length: int) -> bytes:
        if isinstance(self._source, int):
            return _pread(self._source, offset, length)
        file, root = self._source, self._storage.root
        try:
            content = patiently(lambda: bytes(file.read_at(length, offset)), f"{root.rstrip('/')}/{self.uri}")
        except OSError as problem:
            judge(root, problem, self._storage.kind)
            raise
        except pa.ArrowException as problem:
            raise OSError(first_line(problem)) from None
        answered(root)
        return content


@contextmanager
def byte_ranges(storage: Storage, uri: str, *, ahead: bool = False) -> Iterator[ByteRanges]:
    """Open a file by its uri. Raises OSError if that cannot be. `ahead`: for who reads one range after the other."""
    if storage.folder is None:
        name = to_name(uri).decode()
        with storage.ask(name, lambda files, path: files.open_input_file(path)) as file:
            yield ByteRanges(storage, uri, file.size(), file, _FAR_AHEAD if ahead else _FAR)
        return
    number = os.open(storage.local(to_name(uri)), os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield ByteRanges(storage, uri, os.fstat(number).st_size, number, _NEAR_AHEAD if ahead else _NEAR)
    finally:
        os.close(number)


def _pread(number: int, offset: int, length: int) -> bytes:
    content = os.pread(number, length, offset)
    while len(content) < length:  # the system gives at most 2 GiB at once, and may give less
        more = os.pread(number, length - len(content), offset + len(content))
        if not more:
            break
        content += more
    return content

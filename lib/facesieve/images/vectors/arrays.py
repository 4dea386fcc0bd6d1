"""Arrays in files: `.npy`, members of `.npz`, headerless `.bin`. The header is read here, rows in bounded parts.

Nothing is unpickled: an array of Python objects is refused. A part is read from its place in the file; members of an
archive that are compressed have no places, so that they are read from their beginning.
"""

from __future__ import annotations

import math
import os
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, cast

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy

from facesieve.images.storage import Storage

Rows = npt.NDArray[Any]

_BATCH_BYTES = 4 << 20
_LOCAL_HEADER = 30
"""Bytes of a member's header in a zip before its name. Source: PKWARE's APPNOTE 4.3.7."""


class NotAnArray(Exception):
    """What is wrong with a file or a member, as the end of a sentence that begins with its name."""


@dataclass(frozen=True)
class Array:
    """An array in the file `name` below a root: where its values begin, and how they lie there.

    member: its name in an archive; a compressed one has no start. by_columns: in Fortran's order.
    """

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    start: int | None = 0
    member: str = ""
    by_columns: bool = False

    @property
    def rows(self) -> int:
        """How many rows there are; of a single number one."""
        return self.shape[0] if self.shape else 1

    @property
    def width(self) -> int:
        """Numbers of a row."""
        return math.prod(self.shape[1:])

    @property
    def row_bytes(self) -> int:
        """Bytes of a row."""
        return self.width * self.dtype.itemsize

    @property
    def is_matrix(self) -> bool:
        """Whether it holds vectors: two dimensions, of numbers with a fraction."""
        return len(self.shape) == 2 and self.dtype.kind == "f" and self.width > 0

    @property
    def is_list(self) -> bool:
        """Whether it can hold names: one dimension, of text or whole numbers."""
        return len(self.shape) == 1 and self.dtype.kind in "USiuf" and self.dtype.itemsize > 0


def arrays_of(storage: Storage, name: str) -> list[Array]:
    """Read the headers of a `.npy` or `.npz` file. Raises NotAnArray or OSError."""
    with opened(storage, name) as file:
        if name.lower().endswith(".npz"):
            return _members(file, name)
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        return [_checked(_header(file, name), size)]


def headerless(name: str, size: int, dimension: int) -> Array:
    """Describe a `.bin` file of float32, little-endian. Raises NotAnArray."""
    if not dimension:
        raise NotAnArray("has no header: images.dimension says how many numbers a vector has")
    rows, rest = divmod(size, 4 * dimension)
    if rest or not rows:
        raise NotAnArray(f"has {size} bytes, which is no whole number of vectors of {dimension} float32 numbers")
    return Array(name, np.dtype("<f4"), (rows, dimension))


def opened(storage: Storage, name: str) -> IO[bytes]:
    """Open a file for reading at any place. Raises OSError."""
    return cast(IO[bytes], storage.ask(name, lambda files, path: files.open_input_file(path)))


def batches(storage: Storage, array: Array, first: int, rows: int) -> Iterator[Rows]:
    """Yield rows of an array in order, a few megabytes at once. Raises OSError or NotAnArray."""
    at_once = max(1, _BATCH_BYTES // max(1, array.row_bytes))
    with opened(storage, array.name) as file:
        if array.start is None:
            try:
                yield from _unpacked(file, array, first, rows, at_once)
            except (zipfile.BadZipFile, zlib.error, EOFError) as problem:
                raise NotAnArray(f"cannot be unpacked ({problem})") from None
            return
        for begin in range(first, first + rows, at_once):
            yield _read(file, array, begin, min(at_once, first + rows - begin))


def _read(file: IO[bytes], array: Array, first: int, rows: int) -> Rows:
    start = array.start or 0
    if not array.by_columns or len(array.shape) < 2:
        return _values(_exactly(file, start + first * array.row_bytes, rows * array.row_bytes), array, rows)
    size = array.dtype.itemsize
    places = (start + (column * array.rows + first) * size for column in range(array.width))
    columns = [np.frombuffer(_exactly(file, place, rows * size), array.dtype) for place in places]
    return np.stack(columns, axis=1)


def _unpacked(file: IO[bytes], array: Array, first: int, rows: int, at_once: int) -> Iterator[Rows]:
    with zipfile.ZipFile(file) as archive, archive.open(array.member) as member:
        _header(member, array.name)
        _skip(member, first * array.row_bytes)
        for begin in range(0, rows, at_once):
            number = min(at_once, rows - begin)
            content = member.read(number * array.row_bytes)
            if len(content) < number * array.row_bytes:
                raise NotAnArray(f"ends in the middle of {array.member}")
            yield _values(content, array, number)


def _skip(file: IO[bytes], size: int) -> None:
    while size > 0:
        size -= len(file.read(min(size, _BATCH_BYTES))) or size


def _values(content: bytes, array: Array, rows: int) -> Rows:
    return np.frombuffer(content, array.dtype).reshape(rows, *array.shape[1:])


def _exactly(file: IO[bytes], place: int, size: int) -> bytes:
    file.seek(place)
    content = file.read(size)
    if len(content) < size:
        raise NotAnArray(f"ends {size - len(content)} bytes before what its header says")
    return content


def _members(file: IO[bytes], name: str) -> list[Array]:
    try:
        with zipfile.ZipFile(file) as archive:
            members = [each for each in archive.infolist() if each.filename.endswith(".npy")]
            return [array for each in members if (array := _member(file, archive, each, name)) is not None]
    except (zipfile.BadZipFile, NotImplementedError, EOFError) as problem:
        raise NotAnArray(f"is no whole .npz file ({problem})") from None


def _member(file: IO[bytes], archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> Array | None:
    """Describe a member; None for one of Python objects, which is never loaded."""
    with archive.open(info) as member:
        try:
            array = _header(member, name)
        except NotAnArray:
            return None
        place = member.tell()
    if info.file_size < place + array.rows * array.row_bytes:
        raise NotAnArray(f"ends in the middle of {info.filename}")
    if info.compress_type != zipfile.ZIP_STORED:
        return Array(name, array.dtype, array.shape, None, info.filename, array.by_columns)
    file.seek(info.header_offset)
    header = file.read(_LOCAL_HEADER)
    start = info.header_offset + _LOCAL_HEADER + int.from_bytes(header[26:28], "little")
    start += int.from_bytes(header[28:30], "little") + place
    return Array(name, array.dtype, array.shape, start, info.filename, array.by_columns)


def _header(file: IO[bytes], name: str) -> Array:
    try:
        version = npy.read_magic(file)
        read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}[version]
        shape, by_columns, dtype = read(file)
    except (ValueError, KeyError, EOFError) as problem:
        raise NotAnArray(f"is no array of NumPy ({problem})") from None
    if dtype.hasobject:
        raise NotAnArray("holds Python objects, which are never loaded")
    return Array(name, dtype, shape, file.tell(), by_columns=by_columns and len(shape) > 1)


def _checked(array: Array, size: int) -> Array:
    wanted = (array.start or 0) + array.rows * array.row_bytes
    if size < wanted:
        raise NotAnArray(f"has {size} bytes, and its header says {wanted}")
    return array

"""Which files of an export are facesieve's own, by their place, and what it means if they cannot be read as such.

What others have laid into an export has other names, is left alone, and is looked into by the proof. A file of our own
that cannot be read as its form may hold the subject, and nothing tells where: NOT_WHOLE, and its form goes.
"""

from __future__ import annotations

import csv
import io
import os
import re
import struct
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import pyarrow as pa
from pyarrow.fs import FileType

from facesieve.images.storage import Storage
from facesieve.publish.splits import SPLITS

NOT_WHOLE = (
    *(ValueError, TypeError, LookupError, EOFError, FileNotFoundError, IsADirectoryError, NotADirectoryError),
    *(csv.Error, struct.error, tarfile.TarError, pa.ArrowException),
)
"""What files of an export that are lost, cut, changed or of an older form may raise."""

_splits = "|".join(SPLITS)
_OWN = {
    "parquet": re.compile(r"bucket=\d+/part-\d{5,}\.parquet", re.ASCII),
    "clean_list": re.compile(rf"(clean_list|{_splits})\.txt"),
    "huggingface": re.compile(rf"data/({_splits})-\d{{5,}}-of-\d{{5,}}\.parquet", re.ASCII),
}
_LONGEST, _LONGEST_PATH = 255, 1024
"""Bytes of a name and of a path; facesieve writes shorter ones, and stores know no longer ones."""


def is_own(form: str, path: str) -> bool:
    """Whether a file of a form, by its path below the form's folder, is one that the form is made of.

    >>> is_own("parquet", "bucket=3/part-00000.parquet"), is_own("parquet", "notes.parquet")
    (True, False)
    """
    return _OWN[form].fullmatch(path) is not None


def is_below(path: str) -> bool:
    r"""Whether a path is a name below the folder that it is read from; only then a store may be asked for it.

    >>> [is_below(path) for path in ("ann/1.jpg", "", "../1.jpg", "ann//1.jpg", "a\0", "a" * 256)]
    [True, False, False, False, False, False]
    """
    try:
        octets = path.encode("utf-8")
    except UnicodeEncodeError:
        return False
    parts = octets.split(b"/")
    literal = all(part not in (b"", b".", b"..") and len(part) <= _LONGEST for part in parts)
    return literal and b"\0" not in octets and len(octets) <= _LONGEST_PATH


def is_file(folder: Storage, path: str) -> bool:
    """Whether a path names a file below a folder. Raises OSError."""
    return is_below(path) and bool(folder.info(path).type == FileType.File)


def content_of(folder: Storage, path: str) -> bytes:
    """Return the content of a file. Raises FileNotFoundError if the path names none, and OSError as `Storage.read`."""
    _need(folder, path)
    return folder.read(path)


def opened(folder: Storage, path: str) -> BinaryIO:
    """Open a file. Raises FileNotFoundError if the path names none, and OSError as `Storage.opened`."""
    _need(folder, path)
    return folder.opened(path.encode("utf-8"))


def names_in(folder: Storage, name: str = "") -> list[str]:
    """Return the names directly in a folder, sorted; what is no UTF-8 is escaped as `os.fsdecode` does it."""
    if folder.folder is None:
        return [str(each.base_name) for each in folder.entries(name)]
    return sorted(os.listdir(os.fsdecode(folder.local(name.encode("utf-8")))))


class Watched(io.RawIOBase):
    """An open file that remembers whether reading failed, so that what it holds is not blamed for a store."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.failed = False

    def readinto(self, buffer: Any) -> int:
        """Read. Raises OSError."""
        try:
            return int(self._file.readinto(buffer))  # type: ignore[attr-defined]
        except OSError:
            self.failed = True
            raise

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the place."""
        return self._file.tell()

    def readable(self) -> bool:
        """Whether it is read: always."""
        return True

    def seekable(self) -> bool:
        """Whether it is read at any place: always."""
        return True


@contextmanager
def as_its_form(file: Watched | None = None) -> Iterator[None]:
    """Raise ValueError for content that cannot be decoded, for which Arrow raises OSError as for a store."""
    try:
        yield
    except OSError:
        if file is not None and file.failed:
            raise
        raise ValueError("the file cannot be read as its form") from None


def _need(folder: Storage, path: str) -> None:
    if not is_file(folder, path):
        raise FileNotFoundError("an export lacks a file")

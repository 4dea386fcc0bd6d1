"""Files under one root, on a local disk or behind any file system that pyarrow knows.

A root is a plain local path, or a URI: file://, s3:// (s3a:// is read as s3://), gs://, hdfs://, abfs://. Names are
relative to the root, separated by `/`, and taken literally: nothing in them is percent-decoded, globbed or normalised,
so that a newline, `%` or `#` in a file name is only that. This is why Hadoop's paths are not used for single files.

What asks a remote store is patient (`patience`), and its errors are Python's (`store_errors`).
"""

from __future__ import annotations

import errno
import io
import os
import urllib.parse
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, TypeVar, cast

from pyarrow import ArrowException
from pyarrow.fs import FileInfo, FileSelector, FileSystem, FileType, LocalFileSystem

from facesieve.core.errors import first_line
from facesieve.core.places import is_uri, local_path
from facesieve.images.patience import answered, judge, patiently
from facesieve.images.store_errors import Unanswered, in_words

Answer = TypeVar("Answer")

_WITH_FOLDERS = frozenset({"local", "hdfs", "mock"})
"""Where folders are real, hence must be made, and where a file under way can be seen, hence is written aside first."""

_BLOCK = 1 << 20
"""Bytes that are read at once of a file that is elsewhere and is read at any place."""

_LEAST = 4096
"""Bytes that are asked for at least: an error of the store must find room in them (see `store_errors`)."""


@dataclass(frozen=True)
class Storage:
    """Files under `root`. It can be pickled: a worker finds the file system again by the root's name."""

    root: str

    @property
    def folder(self) -> Path | None:
        """The root as an absolute local path; None if it is remote."""
        return _local(self.root)

    def read(self, name: str) -> bytes:
        """Return the whole content of the file `name`. Raises OSError, also for a name that leaves the root."""
        return self.ask(name, lambda files, path: _content(files, path, -1))

    def content(self, name: bytes, most: int = -1) -> bytes:
        """Return the first `most` bytes of a file whose name may be no UTF-8, or all of it. Raises OSError as `read`.

        Elsewhere than on this machine, names are UTF-8. Raises StoreError where nothing can be read there any more.
        """
        if self.folder is not None:
            with open(self.local(name), "rb", buffering=0) as file:
                return file.read(most)
        try:
            content = self.ask(_text(name), lambda files, path: _content(files, path, most))
        except OSError as problem:
            judge(self.root, problem, self.kind)
            raise
        answered(self.root)
        return content

    def opened(self, name: bytes) -> BinaryIO:
        """Open a file, to read it at any place. Raises OSError as `read`, and so do its reads."""
        if self.folder is not None:
            return cast(BinaryIO, open(self.local(name), "rb", buffering=0))
        file = self.ask(_text(name), lambda files, path: files.open_input_file(path))
        return cast(BinaryIO, io.BufferedReader(file, _BLOCK))

    def local(self, name: bytes = b"") -> bytes:
        """Return the path of `name` on this machine. Raises OSError if it is elsewhere, or the name leaves the root."""
        if self.folder is None:
            raise OSError(errno.EINVAL, "not on this machine", self.root)
        return os.path.join(os.fsencode(self.folder), _below(name)) if name else os.fsencode(self.folder)

    def write(self, name: str, content: bytes) -> None:
        """Make the file `name`, and the folders above it, with `content`: whole or not at all. Raises OSError."""
        self.write_pieces(name, lambda: (content,))

    def write_pieces(self, name: str, pieces: Callable[[], Iterable[bytes]]) -> None:
        """Make the file `name` of pieces, one held at a time, as `write` does; a second try asks for them again."""
        self.ask(name, lambda files, path: _write(files, path, pieces()))

    def exists(self, name: str = "") -> bool:
        """Whether there is a file or a folder `name`. Raises OSError if that cannot be told."""
        return bool(self.info(name).type != FileType.NotFound)

    def info(self, name: str = "") -> FileInfo:
        """Return what pyarrow tells about `name`: type, size, modification time. Raises OSError."""
        return self.ask(name, lambda files, path: files.get_file_info(path))

    def kind(self) -> FileType:
        """Return what the root is. Raises OSError.

        A store that lets the job list the root, but not ask for an object of its name, has a folder there.
        """
        try:
            return self.info().type
        except Unanswered:
            raise
        except OSError:
            if self.folder is not None:
                raise
            self.entries()  # its answer has a body, in which the store says what is wrong
            return FileType.Directory

    def entries(self, name: str = "") -> list[FileInfo]:
        """List what is directly in the folder `name`, by name (`base_name` tells it). Raises OSError."""
        listed = self.ask(name, lambda files, path: files.get_file_info(FileSelector(path)))
        return sorted(listed, key=lambda info: str(info.base_name))

    def child(self, name: str) -> Storage:
        """Return the storage whose root is the folder `name` below this root. Raises OSError as `read`."""
        _literal(name)
        if not is_uri(self.root):
            return Storage(os.path.join(self.root, name))
        place, question, options = self.root.partition("?")
        return Storage(f"{place.rstrip('/')}/{urllib.parse.quote(name)}{question}{options}")

    def delete_tree(self, name: str = "") -> None:
        """Delete the folder `name` with all below it, the file `name`, or the whole root; it need not be there."""
        self.ask(name, _delete)

    def at(self, name: str = "") -> tuple[FileSystem, str]:
        """Return pyarrow's file system and the path of `name` in it. Raises OSError if there is none."""
        try:
            files, base = _resolve(self.root)
        except (ValueError, ArrowException) as problem:
            raise OSError(errno.EINVAL, first_line(problem), self.root) from None
        return files, f"{base.rstrip('/')}/{_literal(name)}" if name else base

    def ask(self, name: str, ask: Callable[[FileSystem, str], Answer]) -> Answer:
        """Return what `ask` does with pyarrow's file system and the path of `name`. Raises OSError.

        Elsewhere than on this machine it is done with patience, maybe several times (see `patiently`).
        """
        files, path = self.at(name)
        if self.folder is not None:
            return ask(files, path)
        return patiently(lambda: ask(files, path), f"{self.root.rstrip('/')}/{name}" if name else self.root)


def why_unreadable(root: str) -> str | None:
    """Say, for a Fault, what keeps `root` from being read as a folder; None if nothing does."""
    try:
        kind = Storage(root).kind()
    except FileNotFoundError as problem:
        return f"{root} does not exist ({in_words(problem)})"
    except OSError as problem:
        return f"{root} cannot be read ({in_words(problem)})"
    if kind == FileType.NotFound:
        return f"{root} does not exist"
    return None if kind == FileType.Directory else f"{root} is not a folder"


def why_unwritable(root: str) -> str | None:
    """Say, for a Fault, what keeps files from being written below `root`; None if nothing does.

    It tries: the root is made if need be, and an empty file is written there and deleted again.
    """
    storage, name = Storage(root), f".facesieve-{uuid.uuid4().hex}"
    try:
        storage.write(name, b"")
        storage.delete_tree(name)
    except OSError as problem:
        return f"{root} cannot be written ({in_words(problem)})"
    return None


def _content(files: FileSystem, path: str, most: int) -> bytes:
    with files.open_input_stream(path, buffer_size=None if most < 0 else max(most, _LEAST)) as stream:
        return cast(bytes, stream.read(None if most < 0 else most))


def _write(files: FileSystem, path: str, pieces: Iterable[bytes]) -> None:
    if files.type_name not in _WITH_FOLDERS:
        _put(files, path, pieces)
        return
    parent = path.rpartition("/")[0]
    aside = f"{parent}/.facesieve-{uuid.uuid4().hex}"
    files.create_dir(parent, recursive=True)
    try:
        _put(files, aside, pieces)
        files.move(aside, path)
    except BaseException:
        if files.get_file_info(aside).type == FileType.File:
            files.delete_file(aside)
        raise


def _delete(files: FileSystem, path: str) -> None:
    kind = files.get_file_info(path).type
    if kind == FileType.File:
        files.delete_file(path)
    elif kind != FileType.NotFound:
        files.delete_dir(path)


def _put(files: FileSystem, path: str, pieces: Iterable[bytes]) -> None:
    with files.open_output_stream(path) as stream:
        for piece in pieces:
            stream.write(piece)


def _literal(name: str) -> str:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        raise OSError(errno.EINVAL, "not a valid UTF-8 name", repr(name)) from None
    _below(name.encode("utf-8"))
    return name


def _below(name: bytes) -> bytes:
    if b"\0" in name or any(part in (b"", b".", b"..") for part in name.split(b"/")):
        raise OSError(errno.EINVAL, "not a name below the root", repr(name))
    return name


def _text(name: bytes) -> str:
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError:
        raise OSError(errno.EINVAL, "not a valid UTF-8 name", repr(name)) from None


def _local(root: str) -> Path | None:
    path = local_path(root)
    return None if path is None else Path(os.path.abspath(path))


@lru_cache(maxsize=64)
def _resolve(root: str) -> tuple[FileSystem, str]:
    folder = _local(root)
    if folder is not None:
        return LocalFileSystem(), str(folder)
    files, base = FileSystem.from_uri("s3://" + root[6:] if root.startswith("s3a://") else root)
    return files, str(base)

"""The files of a model in a place that is not on this machine: an object store, or HDFS."""

from __future__ import annotations

from collections import deque
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from pyarrow.fs import FileType

from facesieve.core.errors import ModelError, StoreError
from facesieve.images.storage import Storage
from facesieve.images.store_errors import in_words
from facesieve.models.files import MOST_BYTES, ModelFiles, check_count, check_name, check_size


def read_remote(place: str) -> ModelFiles:
    """Read a model's file, or all files of its directory, by URI.

    Raises ModelError if it is missing, cannot be had, is empty or larger than MOST_BYTES, or holds a name that may not
    be there.
    """
    storage = Storage(place)
    try:
        kind = storage.kind()
        if kind == FileType.NotFound:
            raise ModelError(f"{place} cannot be fetched (it does not exist)")
        return _directory(storage) if kind == FileType.Directory else _single(storage)
    except OSError as problem:
        raise ModelError(f"{place} cannot be fetched ({in_words(problem)})") from None
    except StoreError as problem:
        raise ModelError(f"{place} cannot be fetched: {problem}") from None


def _single(storage: Storage) -> ModelFiles:
    name = PurePosixPath(unquote(urlsplit(storage.root).path)).name
    return ModelFiles(PurePosixPath(name), {name: _content(storage, "", MOST_BYTES)})


def _directory(storage: Storage) -> ModelFiles:
    contents: dict[str, bytes] = {}
    left = MOST_BYTES
    for name in _names(storage):
        contents[name] = content = _content(storage, name, left)
        left -= len(content)
    if not contents:
        raise ModelError(f"{storage.root} is an empty directory")
    return ModelFiles(PurePosixPath(PurePosixPath(urlsplit(storage.root).path).name), contents, directory=True)


def _names(storage: Storage) -> list[str]:
    """List the names of all files below a directory, sorted."""
    names, pending = list[str](), deque([""])
    while pending:
        folder = pending.popleft()
        for info in storage.entries(folder):
            name = f"{folder}/{info.base_name}" if folder else str(info.base_name)
            check_name(name, storage.root)
            (pending if info.type == FileType.Directory else names).append(name)
        check_count(len(names) + len(pending), storage.root)
    return sorted(names)


def _content(storage: Storage, name: str, left: int) -> bytes:
    content = storage.content(name.encode(), left + 1)
    check_size(len(content), left, f"{storage.root}/{name}" if name else storage.root)
    return content

"""Walking a tree of files: what is an image by its suffix, and what is ignored, and why.

Local trees are walked without following links to folders; a link to a file counts as that file if the file lies below
the root. Names are taken as they are; those that are not valid UTF-8 cannot be a uri and are ignored.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pyarrow.fs import FileInfo, FileType

from facesieve.storage import Storage

NOT_UTF8 = "name is not UTF-8"
UNREADABLE = "unreadable folder"
LINK_TO_FOLDER = "link to a folder"
LINK_OUT = "link out of the root"
SPECIAL = "not a regular file"
NO_SUFFIX = "no suffix"
_LONGEST_SUFFIX = 16  # a longer one is part of a name


class Entry(NamedTuple):
    """One thing found: its name relative to the root, bytes, microseconds since 1970; or why it is ignored."""

    name: str | None
    size: int | None = None
    modified: int | None = None
    ignored: str | None = None
    folder: bool = False


def walk(storage: Storage, start: str, suffixes: frozenset[str], deep: bool = True) -> Iterator[Entry]:
    """Yield every file below the folder `start` (only those directly in it unless `deep`), in no particular order.

    `suffixes` are lower case with their dot. A folder that cannot be read is one ignored entry. Never raises OSError.
    """
    pending = [start]
    while pending:
        try:
            for entry in _scan(storage, pending.pop(), suffixes):
                if not entry.folder:
                    yield entry
                elif deep and entry.name is not None:
                    pending.append(entry.name)
        except OSError:
            yield Entry(None, ignored=UNREADABLE)


def folders(storage: Storage) -> list[str]:
    """Return the names of the folders directly below the root, sorted. Raises OSError."""
    no_suffix_so_no_stat = frozenset[str]()
    return sorted(entry.name for entry in _scan(storage, "", no_suffix_so_no_stat) if entry.folder and entry.name)


def _scan(storage: Storage, folder: str, suffixes: frozenset[str]) -> Iterator[Entry]:
    prefix = f"{folder}/" if folder else ""
    root = storage.folder
    if root is None:
        for info in storage.entries(folder):
            yield _remote(info, prefix + info.base_name, suffixes)
        return
    with os.scandir(root / folder) as entries:
        for entry in entries:
            yield _local(entry, prefix + entry.name, root, suffixes)


def _remote(info: FileInfo, name: str, suffixes: frozenset[str]) -> Entry:
    if info.type == FileType.Directory:
        return Entry(name, folder=True)
    ignored = _by_suffix(name, suffixes)
    modified = None if info.mtime_ns is None else info.mtime_ns // 1000
    return Entry(name, info.size, modified, ignored)


def _local(entry: os.DirEntry[str], name: str, root: Path, suffixes: frozenset[str]) -> Entry:
    if not _is_utf8(entry.name):
        return Entry(None, ignored=NOT_UTF8)
    if entry.is_dir(follow_symlinks=False):
        return Entry(name, folder=True)
    ignored = _by_kind(entry, root) or _by_suffix(name, suffixes)
    if ignored:
        return Entry(None, ignored=ignored)
    try:
        state = entry.stat()
    except OSError:  # it is there, or was a moment ago: an image that cannot be read, not one that never was
        return Entry(name)
    return Entry(name, state.st_size, state.st_mtime_ns // 1000)


def _by_kind(entry: os.DirEntry[str], root: Path) -> str | None:
    if not entry.is_symlink():
        return None if entry.is_file(follow_symlinks=False) else SPECIAL
    target = os.path.realpath(entry.path)
    if os.path.isdir(target):
        return LINK_TO_FOLDER
    if not target.startswith(os.path.join(os.path.realpath(root), "")):
        return LINK_OUT
    return SPECIAL if os.path.exists(target) and not os.path.isfile(target) else None


def _by_suffix(name: str, suffixes: frozenset[str]) -> str | None:
    suffix = os.path.splitext(name)[1].lower()
    if suffix in suffixes:
        return None
    return suffix if 0 < len(suffix) <= _LONGEST_SUFFIX else NO_SUFFIX


def _is_utf8(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True

"""Walking a tree of files: what is an image by its suffix, and what is ignored, and why.

Local trees are walked without following links to folders; a link to a file counts as that file if the file lies below
the root. Names are taken as they are; those that are not valid UTF-8 cannot be a uri and are ignored.
"""

from __future__ import annotations

import os
import zlib
from collections import deque
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from pyarrow.fs import FileInfo, FileType

from facesieve.images.kinds import LINK_OUT, LINK_TO_FOLDER, NO_SUFFIX, SPECIAL, UNREADABLE
from facesieve.images.storage import Storage

NOT_UTF8 = "name is not UTF-8"
_LONGEST_SUFFIX = 16  # a longer one is part of a name

MOST_FOLDERS = 10_000
"""Folders in one folder that the process which cuts a tree into parts holds by name; beyond, their names are dealt."""


class Entry(NamedTuple):
    """One thing found: its name relative to the root, bytes, microseconds since 1970; or why it is ignored."""

    name: str | None
    size: int | None = None
    modified: int | None = None
    ignored: str | None = None
    folder: bool = False


class Part(NamedTuple):
    """A part of a walk, fit for one task: a folder with all below it, or (not `deep`) only the files directly in it.

    Of several `shares` it is only that with the number `share`: what is directly in the folder is dealt out by name,
    a folder with all below it.
    """

    folder: str
    deep: bool = True
    share: int = 0
    shares: int = 1

    def has(self, name: str) -> bool:
        """Whether what is directly in the folder, under its name relative to the root, belongs to this share."""
        return self.shares == 1 or zlib.crc32(os.fsencode(name)) % self.shares == self.share


WHOLE = Part("")


def walk(storage: Storage, part: Part, suffixes: frozenset[str]) -> Iterator[Entry]:
    """Yield every file of a part of the tree, in no particular order.

    `suffixes` are lower case with their dot. A folder that cannot be read is one ignored entry. Never raises OSError.
    """
    pending = [part.folder]
    while pending:
        folder = pending.pop()
        try:
            for entry in _scan(storage, folder, suffixes, part if folder == part.folder else WHOLE):
                if not entry.folder:
                    yield entry
                elif part.deep and entry.name is not None:
                    pending.append(entry.name)
        except OSError:
            if part.share == 0 or folder != part.folder:
                yield Entry(None, ignored=UNREADABLE)


def parts(storage: Storage, wanted: int) -> list[Part]:
    """Cut the tree below the root into at least `wanted` parts, if it has so many folders. Raises OSError.

    Folders are opened level by level until there are enough. One that holds more than MOST_FOLDERS others is not
    opened but dealt out in `wanted` shares, each of which lists it again: however wide or large the tree, this process
    holds no more than a bounded number of names.
    """
    cut: list[Part] = []
    pending = deque([""])
    while pending and len(cut) + len(pending) < wanted:
        folder = pending.popleft()
        try:
            below = list(islice(folders(storage, folder), MOST_FOLDERS + 1))
        except OSError:
            if not folder:
                raise
            below = []  # whoever walks it says that it cannot be read
        if len(below) > MOST_FOLDERS:
            cut += [Part(folder, True, share, wanted) for share in range(wanted)]
        else:
            cut.append(Part(folder, deep=False))
            pending.extend(sorted(below))
    return cut + [Part(folder) for folder in pending]


def folders(storage: Storage, folder: str = "") -> Iterator[str]:
    """Yield the names of the folders directly below one, relative to the root. Raises OSError."""
    no_suffix_so_no_stat = frozenset[str]()
    return (entry.name for entry in _scan(storage, folder, no_suffix_so_no_stat) if entry.folder and entry.name)


def _scan(storage: Storage, folder: str, suffixes: frozenset[str], part: Part = WHOLE) -> Iterator[Entry]:
    prefix = f"{folder}/" if folder else ""
    root = storage.folder
    if root is None:
        for info in storage.entries(folder):
            if part.has(prefix + info.base_name):
                yield _remote(info, prefix + info.base_name, suffixes)
        return
    with os.scandir(root / folder) as entries:
        for entry in entries:
            if part.has(prefix + entry.name):
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

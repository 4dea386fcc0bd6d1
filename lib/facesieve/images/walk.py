"""Walking a tree of files: what is an image, and as what all else is left out.

Names are bytes on a local disk and text elsewhere; a walk tells them as uris (see `uris`), the same on any machine. A
link to a file counts as that file: below the root, or anywhere if links are followed. A walk never goes through a link
to a folder, it tells of the link (`links` says which of them are walked, too).
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from pyarrow.fs import FileInfo, FileType

from facesieve.images import kinds
from facesieve.images.content import HEAD
from facesieve.images.packs.archive_uris import without_suffix
from facesieve.images.patience import refuse_outage
from facesieve.images.protocol import Sort
from facesieve.images.rules import LeftOut, Rules, of_kind
from facesieve.images.storage import Storage
from facesieve.images.uris import to_name, to_uri

Place = tuple[int, int]
"""A real folder of this machine: the device and the number of its inode."""

_Item: TypeAlias = "os.DirEntry[bytes] | FileInfo"


class Entry(NamedTuple):
    """One thing in a tree: its uri, bytes, microseconds since 1970; or the kind and sort under which it is left out.

    An archive to be opened has its bytes and time, and the kind ARCHIVE without a sort. identity: what its own file
    says of an image, where a source reads that.
    """

    uri: str
    size: int | None = None
    modified: int | None = None
    ignored: str | None = None
    sort: Sort | None = None
    identity: str | None = None


class Part(NamedTuple):
    """A part of a walk, fit for one task: a folder with all below it, or (not `deep`) only the files directly in it.

    Of several `shares` it is only that with the number `share`: what is directly in the folder is dealt out by name,
    a folder with all below it.
    """

    folder: str
    deep: bool = True
    share: int = 0
    shares: int = 1

    def has(self, uri: str) -> bool:
        """Whether what is directly in the folder belongs to this share."""
        return self.shares == 1 or zlib.crc32(uri.encode()) % self.shares == self.share


WHOLE = Part("")


def walk(storage: Storage, part: Part, rules: Rules, cut: frozenset[Place] = frozenset()) -> Iterator[Entry]:
    """Yield every file of a part of the tree, every link to a folder and folder that cannot be read, in no order.

    `cut`: folders that are not entered. Never raises OSError; StoreError where a store does not answer.
    """
    pending = [part.folder]
    while pending:
        folder = pending.pop()
        own = part if folder == part.folder else WHOLE
        litter = rules.litter_above(folder)
        try:
            for uri, item in _items(storage, folder, own):
                if _is_folder(item):
                    pending += [uri] if part.deep and not _is_cut(item, cut) else []
                    continue
                why = litter or rules.litter(uri.rpartition("/")[2])
                yield Entry(uri, None, None, *why) if why else _file(storage, uri, item, rules)
        except OSError as problem:
            refuse_outage(storage.root, problem)
            if own.share == 0:
                yield Entry(folder, None, None, *(litter or of_kind(kinds.UNREADABLE)))


def folders(storage: Storage, folder: str = "", cut: frozenset[Place] = frozenset()) -> Iterator[str]:
    """Yield the uris of the folders directly below one, but for those that are cut. Raises OSError."""
    items = _items(storage, folder, WHOLE)
    return (uri for uri, item in items if _is_folder(item) and not _is_cut(item, cut))


def place(path: bytes | str) -> Place:
    """Return which real folder a path leads to. Raises OSError."""
    state = os.stat(path)
    return state.st_dev, state.st_ino


def local_path(storage: Storage, uri: str) -> bytes:
    """Return the path of something on this machine. Raises OSError for the uri of a remote file, or of none."""
    return storage.local(to_name(uri))


def _items(storage: Storage, folder: str, part: Part) -> Iterator[tuple[str, _Item]]:
    prefix = f"{folder}/" if folder else ""
    if storage.folder is None:
        for info in storage.entries(to_name(folder).decode()):
            uri = prefix + to_uri(str(info.base_name).encode())
            if part.has(uri):
                yield uri, info
        return
    with os.scandir(local_path(storage, folder)) as entries:
        for entry in entries:
            uri = prefix + to_uri(entry.name)
            if part.has(uri):
                yield uri, entry


def _is_folder(item: _Item) -> bool:
    if isinstance(item, FileInfo):
        return bool(item.type == FileType.Directory)
    return item.is_dir(follow_symlinks=False)


def _is_cut(item: _Item, cut: frozenset[Place]) -> bool:
    return bool(cut) and isinstance(item, os.DirEntry) and place(item.path) in cut


def _file(storage: Storage, uri: str, item: _Item, rules: Rules) -> Entry:
    why = _by_type(item, storage, rules)
    why = why or rules.left_out(uri.rpartition("/")[2], lambda: storage.content(to_name(uri), HEAD))
    if why and why.kind in kinds.OPENED and rules.opens(uri):
        beside = _is_unpacked(storage, uri)
        return Entry(uri, None, None, *of_kind(kinds.UNPACKED)) if beside else state_of(uri, item, kinds.ARCHIVE)
    return Entry(uri, None, None, *why) if why else state_of(uri, item)


def state_of(uri: str, item: _Item, kind: str | None = None) -> Entry:
    """Return the entry of a file with its bytes and time, under a kind or as an image."""
    if isinstance(item, FileInfo):
        return Entry(uri, item.size, None if item.mtime_ns is None else item.mtime_ns // 1000, kind)
    try:
        state = item.stat()
    except OSError:  # it is there, or was a moment ago: an image that cannot be read, not one that never was
        return Entry(uri, ignored=kind)
    return Entry(uri, state.st_size, state.st_mtime_ns // 1000, kind)


def _is_unpacked(storage: Storage, uri: str) -> bool:
    """Say whether a folder of an archive's name lies beside it: its members would count twice."""
    folder = without_suffix(uri)
    if storage.folder is not None:
        return os.path.isdir(local_path(storage, folder))
    return bool(storage.info(to_name(folder).decode()).type == FileType.Directory)


def _by_type(item: _Item, storage: Storage, rules: Rules) -> LeftOut | None:
    if isinstance(item, FileInfo):
        return None
    if not item.is_symlink():
        return None if item.is_file(follow_symlinks=False) else of_kind(kinds.SPECIAL)
    target = os.path.realpath(item.path)
    if os.path.isdir(target):
        return of_kind(kinds.LINK_TO_FOLDER)
    root = os.path.join(os.path.realpath(storage.local(b"")), b"")
    if not rules.follow_links and not target.startswith(root):
        return of_kind(kinds.LINK_OUT)
    return of_kind(kinds.SPECIAL) if os.path.exists(target) and not os.path.isfile(target) else None

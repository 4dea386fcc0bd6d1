"""The files of packs below a root, what belongs to them, and what else lies there, by kind."""

from __future__ import annotations

import errno
import os
import posixpath
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from pyarrow.fs import FileType

from facesieve.images.kinds import EMPTY_PACK, IMAGE_FILE, NO_SUFFIX, PICTURES
from facesieve.images.packs.records import Form, PackFile
from facesieve.images.protocol import IgnoredKind, Sort
from facesieve.images.rules import LeftOut, Rules, of_kind, suffix_of
from facesieve.images.storage import Storage
from facesieve.images.tally import Tally
from facesieve.images.walk import Part, walk


@dataclass(frozen=True)
class PackFiles:
    """Packs and their companions by uri, and what lies beside them by kind: as long as the list of files.

    storage: in which the uris are names. For a root that is a pack itself it is that of the folder.
    """

    storage: Storage
    files: tuple[PackFile, ...]
    companions: tuple[PackFile, ...]
    beside: tuple[IgnoredKind, ...] = ()


@dataclass(frozen=True)
class _PackRules(Rules):
    """Leaves out of a walk what is neither a pack nor a companion, by its name alone."""

    wanted: Callable[[str], bool] = bool

    def left_out(self, name: str, head: Callable[[], bytes]) -> LeftOut | None:
        kind = suffix_of(name) or NO_SUFFIX
        return None if self.wanted(name) else of_kind(IMAGE_FILE if kind in PICTURES else kind)


def pack_files(root: str, form: Form, ignore: tuple[str, ...]) -> PackFiles:
    """List the packs of a form at or below a root. Raises OSError if the root cannot be read.

    ignore: patterns of names that are litter. A pack without bytes is left out, and counted.
    """
    storage, only = _place(root)
    tally, there = Tally(), list[PackFile]()
    rules = _PackRules(frozenset(), ignore, wanted=lambda name: form.is_pack(name) or form.is_companion(name))
    for entry in walk(storage, Part("", deep=not only), rules):
        if entry.ignored is None and (not only or _belongs(entry.uri, only)):
            there.append(PackFile(entry.uri, 1 if entry.size is None else entry.size, entry.modified))
        elif entry.ignored is not None and not only:
            tally.add(entry)
    packs = sorted(each for each in there if form.is_pack(posixpath.basename(each.uri)))
    for pack in packs:
        tally.count(EMPTY_PACK, Sort.MAYBE, int(not pack.size), pack.uri)
    companions = sorted(set(there) - set(packs))
    return PackFiles(storage, tuple(pack for pack in packs if pack.size), tuple(companions), tally.ignored().kinds)


def _place(root: str) -> tuple[Storage, str]:
    """Return the folder of the packs, and the name of the only one where the root is a file."""
    storage = Storage(root)
    kind = storage.kind()
    if kind == FileType.NotFound:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), root)
    if kind != FileType.File:
        return storage, ""
    if storage.folder is not None:
        return Storage(str(storage.folder.parent)), storage.folder.name
    place, question, options = root.partition("?")
    return Storage(f"{place.rpartition('/')[0]}{question}{options}"), posixpath.basename(urlsplit(place).path)


def _belongs(uri: str, only: str) -> bool:
    """Say whether a file is the pack `only`, or has its name but for the suffix."""
    return posixpath.splitext(uri)[0] == posixpath.splitext(only)[0]

"""What an archive in a tree of files adds to the walk: its images, what is left out of it, and what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from facesieve.images import kinds
from facesieve.images.content import HEAD
from facesieve.images.packs.archive_uris import MARK
from facesieve.images.packs.archives import opened
from facesieve.images.packs.members import TWICE, Archive, Member
from facesieve.images.patience import patiently, refuse_outage
from facesieve.images.protocol import BadContent
from facesieve.images.rules import LeftOut, Rules, of_kind
from facesieve.images.storage import Storage
from facesieve.images.walk import Entry


def archive_entries(storage: Storage, file: Entry, rules: Rules) -> Iterator[Entry]:
    """Yield an entry for each member of an archive that is a file.

    file: the archive. Its time is that of all its images. An image that cannot be read has size 0, and so has the
    archive itself, as an image more, if a part of it is lost. `archives.ArchiveFetch` says then why.
    Raises StoreError where a store does not answer.
    """
    try:
        archive = open_archive(storage, file.uri)
    except OSError as problem:
        refuse_outage(storage.root, problem)
        yield Entry(file.uri, None, None, *of_kind(kinds.UNREADABLE_FILE))
        return
    try:
        yield from _entries(archive, file, rules)
        if archive.fault():
            yield Entry(file.uri, 0, file.modified)
    finally:
        archive.close()


def open_archive(storage: Storage, uri: str) -> Archive:
    """Open an archive, with patience where it is elsewhere. Raises OSError."""
    if storage.folder is not None:
        return opened(storage, uri)
    return patiently(lambda: opened(storage, uri), f"{storage.root.rstrip('/')}/{uri}")


def why_left_out(archive: Archive, member: Member, rules: Rules) -> LeftOut | None:
    """Say as what a member is left out; None if it is an image."""
    name = member.name.rpartition("/")[2]
    return litter(member, rules) or rules.left_out(name, partial(_head, archive, member))


def litter(member: Member, rules: Rules) -> LeftOut | None:
    """Return the pattern that the name of a member, or of a folder above, fits."""
    folder, _, name = member.name.rpartition("/")
    return rules.litter_above(folder) or rules.litter(name)


def _entries(archive: Archive, file: Entry, rules: Rules) -> Iterator[Entry]:
    repeats = dict[str, int]()
    for member in archive.members():
        uri = f"{file.uri}{MARK}{member.name}"
        why = why_left_out(archive, member, rules)
        if why:
            yield Entry(uri, None, None, *why)
            continue
        if member.problem == TWICE:
            repeats[uri] = repeats.get(uri, 1) + 1
            uri = f"{uri}#{repeats[uri]}"
        yield Entry(uri, 0 if member.problem else member.size, file.modified)


def _head(archive: Archive, member: Member) -> bytes:
    try:
        return archive.content(member, HEAD)
    except BadContent:
        return b""

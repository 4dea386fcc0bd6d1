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
from facesieve.images.store_errors import translated
from facesieve.images.walk import Entry


def archive_entries(storage: Storage, file: Entry, rules: Rules) -> Iterator[Entry]:
    """Yield an entry for each member of an archive that is a file.

    file: the archive. Its time is that of all its images. An image that cannot be read has size 0, and so has the
    archive itself, as an image more, if a part of it is lost. `archives.ArchiveFetch` says then why.
    Raises StoreError where a store does not answer.
    """
    reading, repeats = Reading(storage, file), dict[str, int]()
    for archive, member in reading.members():
        uri = f"{file.uri}{MARK}{member.name}"
        why = why_left_out(archive, member, rules)
        if why:
            yield Entry(uri, None, None, *why)
            continue
        if member.problem == TWICE:
            repeats[uri] = repeats.get(uri, 1) + 1
            uri = f"{uri}#{repeats[uri]}"
        yield Entry(uri, 0 if member.problem else member.size, file.modified)
    yield from reading.ending()


class Reading:
    """An archive that is gone through once; what breaks that off is told at the end."""

    def __init__(self, storage: Storage, file: Entry) -> None:
        self._storage, self._file = storage, file
        self._fault, self._is_readable = "", True

    def members(self) -> Iterator[tuple[Archive, Member]]:
        """Yield the members, each with the open archive. Raises StoreError where a store does not answer."""
        try:
            archive = self._opened()
            try:
                yield from ((archive, member) for member in archive.members())
                self._fault = archive.fault()
            finally:
                archive.close()
        except OSError as problem:
            remote = self._storage.folder is None
            refuse_outage(self._storage.root, translated(problem, self._file.uri) if remote else problem)
            self._is_readable = False

    def ending(self) -> Iterator[Entry]:
        """Yield the archive itself: as an image more if a part of it is lost, or as a file that cannot be read."""
        if not self._is_readable:
            yield Entry(self._file.uri, None, None, *of_kind(kinds.UNREADABLE_FILE))
        elif self._fault:
            yield Entry(self._file.uri, 0, self._file.modified)

    def _opened(self) -> Archive:
        uri = self._file.uri
        if self._storage.folder is not None:
            return opened(self._storage, uri)
        return patiently(lambda: opened(self._storage, uri), f"{self._storage.root.rstrip('/')}/{uri}")


def why_left_out(archive: Archive, member: Member, rules: Rules) -> LeftOut | None:
    """Say as what a member is left out; None if it is an image."""
    name = member.name.rpartition("/")[2]
    return litter(member, rules) or rules.left_out(name, partial(_head, archive, member))


def litter(member: Member, rules: Rules) -> LeftOut | None:
    """Return the pattern that the name of a member, or of a folder above, fits."""
    folder, _, name = member.name.rpartition("/")
    return rules.litter_above(folder) or rules.litter(name)


def _head(archive: Archive, member: Member) -> bytes:
    try:
        return archive.content(member, HEAD)
    except BadContent:
        return b""

"""A zip archive: its directory stands at its end, and each member is packed by itself."""

from __future__ import annotations

import errno
import stat
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from facesieve.images.packs import members as words
from facesieve.images.packs.archive_uris import clean_name
from facesieve.images.packs.members import LIMITS, Limits, Member
from facesieve.images.protocol import BadContent

NO_ZIP = "it is no zip archive, or its end is missing: the directory of a zip archive stands at its end"
_ENCRYPTED, _UTF8, _UNIX = 0x1, 0x800, 16
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError)
"""What `zipfile` raises over damaged archives."""


class ZipArchive:
    """The members of a zip archive, by its directory: some 700 bytes of memory a member."""

    def __init__(self, file: BinaryIO, limits: Limits = LIMITS) -> None:
        self._file, self._limits = file, limits
        self._zip: zipfile.ZipFile | None = None
        self._members = dict[str, Member]()
        try:
            self._zip = zipfile.ZipFile(file)
        except _DAMAGED:
            return
        except OSError as problem:
            if problem.errno != errno.EINVAL:  # a place before the beginning of the file
                raise
            return
        for member in self.members():
            self._members.setdefault(member.name, member)

    def members(self) -> Iterator[Member]:
        """Yield the members in the order of the directory; a name that was there before has the problem TWICE."""
        names = set[str]()
        for number, info in enumerate(self._zip.infolist() if self._zip else ()):
            if info.is_dir():
                continue
            member = self._member(number, info)
            yield member._replace(problem=words.TWICE) if member.name in names else member
            names.add(member.name)

    def find(self, name: str) -> Member | None:
        """Return the first member of a name."""
        return self._members.get(name)

    def content(self, member: Member, most: int = -1) -> bytes:
        """Return the first `most` bytes of a member, or all of it. Raises BadContent."""
        if member.problem or self._zip is None:
            raise BadContent(member.problem or NO_ZIP)
        info = self._zip.infolist()[member.at]
        try:
            with self._zip.open(info) as unpacked:
                return unpacked.read(most)  # no more than the directory says, and by its checksum
        except _DAMAGED:
            raise BadContent(words.CHECKSUM) from None

    def fault(self) -> str:
        """Say what is wrong with the archive."""
        return "" if self._zip else NO_ZIP

    def close(self) -> None:
        """Let the file go."""
        if self._zip:
            self._zip.close()
        self._file.close()

    def _member(self, number: int, info: zipfile.ZipInfo) -> Member:
        name, leaves = clean_name(_raw_name(info))
        unix = info.external_attr >> _UNIX
        problems = (
            (leaves, words.LEAVES),
            (stat.S_ISLNK(unix), words.LINK),
            (stat.S_IFMT(unix) not in (0, stat.S_IFREG), words.SPECIAL),
            (info.flag_bits & _ENCRYPTED, words.ENCRYPTED),
            (info.compress_type not in _METHODS, words.METHOD),
            (self._limits.exceeded(info.file_size, info.compress_size), words.BOMB.format(self._limits.ratio)),
        )
        return Member(name, info.file_size, number, next((text for holds, text in problems if holds), ""))


def _raw_name(info: zipfile.ZipInfo) -> bytes:
    """Return a name as it stands in the archive: without a flag for UTF-8, `zipfile` takes it for the PC's code page.

    Windows programs have written folders with a backslash; it separates where no slash does.
    """
    raw = info.orig_filename.encode("utf-8" if info.flag_bits & _UTF8 else "cp437", errors="surrogateescape")
    return raw if b"/" in raw else raw.replace(b"\\", b"/")

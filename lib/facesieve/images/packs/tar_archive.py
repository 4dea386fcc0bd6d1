"""A tar archive, read member by member as far as somebody asks.

The headers are read by `tarfile`. Its own loop over members ends without a word at a damaged header, at a cut between
two members, and at the first end mark of several archives in one file. Here these are told, and what follows is read.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from typing import BinaryIO

from facesieve.images.packs import members as words
from facesieve.images.packs.archive_uris import clean_name
from facesieve.images.packs.gzip_stream import GzipStream
from facesieve.images.packs.members import Member
from facesieve.images.protocol import BadContent

NO_TAR = "it is no tar archive"
ARCHIVE_CUT = "the archive is cut: its end is missing"
DAMAGED = "a header in the archive is damaged (byte {}): the members there are lost"
_EndHeader = tarfile.EOFHeaderError  # type: ignore[attr-defined]  # typeshed has none of the three
_NoHeader = tarfile.EmptyHeaderError  # type: ignore[attr-defined]
_CutHeader = tarfile.TruncatedHeaderError  # type: ignore[attr-defined]
_BLOCK = tarfile.BLOCKSIZE
_END_BLOCKS = 256
"""So many empty blocks are the end: two are its mark, up to 20 fill a record, and an archive may follow another."""
_LARGEST_HEADER = 1 << 20
_MOST_DAMAGED = 1 << 20
"""Blocks without a header that are looked through for the next one, in all."""


class _Headers(io.RawIOBase):
    """The file as `tarfile` reads headers of it: one that says to be huge is no header."""

    def __init__(self, file: BinaryIO | GzipStream) -> None:
        super().__init__()
        self._file = file

    def tell(self) -> int:
        """Return the place in the file."""
        return self._file.tell()

    def read(self, size: int = -1) -> bytes:
        """Return `size` bytes. Raises HeaderError if nobody needs so many for a name."""
        if not 0 <= size <= _LARGEST_HEADER:
            raise tarfile.HeaderError("a header of this size is none")
        return _exactly(self._file, size)


class TarArchive:
    """The members of a tar archive, compressed or not. Headers that were read are kept, some 200 bytes a member."""

    def __init__(self, file: BinaryIO | GzipStream) -> None:
        self._file = file
        self._size = None if isinstance(file, GzipStream) else file.seek(0, io.SEEK_END)
        self._headers = tarfile.TarFile(fileobj=io.BytesIO(bytes(2 * _BLOCK)))
        self._headers.fileobj = _Headers(file)
        self._headers.offset, self._headers.encoding = 0, "utf-8"
        self._members = dict[str, Member]()
        self._walk, self._fault = self._walked(), ""

    def members(self) -> Iterator[Member]:
        """Yield the members in their order; a name that was there before comes again, with the problem TWICE."""
        return (self._whole(member) for member in self._walk)

    def find(self, name: str) -> Member | None:
        """Return the first member of a name; no more headers are read than that takes."""
        while name not in self._members and next(self._walk, None) is not None:
            pass
        return self._members.get(name)

    def content(self, member: Member, most: int = -1) -> bytes:
        """Return the first `most` bytes of a member, or all. Raises BadContent."""
        if member.problem:
            raise BadContent(member.problem)
        size = member.size if most < 0 else min(most, member.size)
        self._file.seek(member.at)
        content = _exactly(self._file, size)
        if len(content) < size:
            raise BadContent(words.CUT)
        return content

    def fault(self) -> str:
        """Say what is wrong with the archive; all headers are read for that."""
        for _ in self._walk:
            pass
        return self._fault

    def close(self) -> None:
        """Let the file go."""
        self._file.close()

    def _whole(self, member: Member) -> Member:
        """Say of a member in a stream whether the stream goes on to its end."""
        if self._size is not None or member.problem or not member.size:
            return member
        self._file.seek(member.at + member.size - 1)
        try:
            return member if self._file.read(1) else member._replace(problem=words.CUT)
        except BadContent:
            return member._replace(problem=words.CUT)

    def _walked(self) -> Iterator[Member]:
        try:
            for info in self._infos():
                member = self._member(info)
                again = member.name in self._members
                if not again:
                    self._members[member.name] = member
                yield member._replace(problem=words.TWICE) if again else member
        except BadContent as problem:
            self._fault = self._fault or problem.words

    def _infos(self) -> Iterator[tarfile.TarInfo]:
        """Yield the headers of files and links, past end marks and past what is damaged."""
        empty, lost, ended = 0, 0, False
        while empty < _END_BLOCKS and lost < _MOST_DAMAGED:
            at = self._headers.offset
            self._file.seek(at)
            try:
                info = tarfile.TarInfo.fromtarfile(self._headers)
            except _EndHeader:
                empty, ended = empty + 1, True
                self._headers.offset = at + _BLOCK
                continue
            except (_NoHeader, _CutHeader):
                break
            except (tarfile.HeaderError, ValueError, RecursionError):
                self._fault = self._fault or (DAMAGED.format(at) if at else NO_TAR)
                lost += 1
                self._headers.offset = at + _BLOCK
                continue
            empty, ended = 0, False
            if not info.isdir():
                yield info
        if not (ended or self._fault):
            self._fault = ARCHIVE_CUT

    def _member(self, info: tarfile.TarInfo) -> Member:
        name, leaves = clean_name(info.name.encode("utf-8", errors="surrogateescape"))
        problems = (
            (leaves, words.LEAVES),
            (info.issym() or info.islnk(), words.LINK),
            (info.issparse(), words.SPARSE),
            (not info.isreg(), words.SPECIAL),
            (self._size is not None and info.offset_data + info.size > self._size, words.CUT),
        )
        problem = next((text for holds, text in problems if holds), "")
        return Member(name, info.size, info.offset_data, problem)


def _exactly(file: BinaryIO | GzipStream, size: int) -> bytes:
    """Read `size` bytes, fewer at the end of the file: a raw file may give less than it is asked for."""
    parts, left = list[bytes](), size
    while left and (part := file.read(left)):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)

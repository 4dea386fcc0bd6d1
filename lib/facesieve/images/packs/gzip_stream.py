"""A gzip file as a file that can be read at any place, from marks that are left on the way.

A mark is a copy of the decompressor (some 40 KB). Where the file is read from its start to its end, nothing is unpacked
twice. The last bytes stay in memory, so that a header may be looked at again.
"""

from __future__ import annotations

import io
import zlib
from bisect import bisect_right
from operator import attrgetter
from typing import BinaryIO, NamedTuple

from facesieve.images.packs.members import LIMITS, Limits
from facesieve.images.protocol import BadContent

GZIP_CUT = "the gzip stream ends too early: what follows is lost"
GZIP_DAMAGED = "the gzip stream is damaged: what follows is lost"
GZIP_BOMB = "the gzip stream unpacks to more than {} times its bytes: what follows is not read"
_MAGIC = b"\x1f\x8b"
_WITH_HEADER = 31  # window bits, plus 16 for a gzip header
_INPUT, _PIECE = 1 << 16, 1 << 16
_RECENT = 1 << 18  # bytes that stay in memory behind the place that is read
_MARK_EVERY, _MOST_MARKS = 1 << 18, 256


class _Mark(NamedTuple):
    """A place in the unpacked stream: the place in the file, input that was read ahead, and the decompressor there."""

    at: int
    packed_at: int
    ahead: bytes
    decoder: zlib._Decompress


class GzipStream(io.RawIOBase):
    """The unpacked bytes of a gzip file. Raises BadContent where the stream is cut, damaged or a bomb."""

    def __init__(self, packed: BinaryIO, limits: Limits = LIMITS) -> None:
        super().__init__()
        self._packed, self._limits = packed, limits
        self._position = self._start = self._packed_at = 0
        self._recent, self._ahead = bytearray(), b""
        self._decoder = zlib.decompressobj(_WITH_HEADER)
        self._every, self._marks = _MARK_EVERY, [_Mark(0, 0, b"", self._decoder.copy())]

    def readable(self) -> bool:
        """Say yes."""
        return True

    def seekable(self) -> bool:
        """Say yes."""
        return True

    def tell(self) -> int:
        """Return the place in the unpacked bytes."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place in the unpacked bytes; nothing is read before `read`."""
        if whence == io.SEEK_END:
            raise io.UnsupportedOperation("the end of a gzip stream is not known")
        self._position = offset + (self._position if whence == io.SEEK_CUR else 0)
        return self._position

    def read(self, size: int = -1) -> bytes:
        """Return the next `size` bytes, fewer at the end, or all that follows."""
        self._approach()
        end = None if size < 0 else self._position + size
        parts = list[bytes]()
        while end is None or self._position < end:
            part = self._part(end)
            if not part:
                break
            parts.append(part)
            self._position += len(part)
        return b"".join(parts)

    def close(self) -> None:
        """Close the file, too."""
        self._packed.close()
        super().close()

    def _part(self, end: int | None) -> bytes:
        """Return bytes at the place, at most up to `end`; what lies before it is unpacked and let go."""
        while self._position >= self._start + len(self._recent):
            if not self._unpack():
                return b""
        first = self._position - self._start
        return bytes(self._recent[first : None if end is None else end - self._start])

    def _unpack(self) -> bool:
        try:
            piece = self._piece()
        except zlib.error:
            raise BadContent(GZIP_DAMAGED) from None
        self._recent += piece
        surplus = len(self._recent) - _RECENT
        if surplus > 0:
            del self._recent[:surplus]
            self._start += surplus
        end = self._start + len(self._recent)
        if self._limits.exceeded(end, self._packed_at):
            raise BadContent(GZIP_BOMB.format(self._limits.ratio))
        if end >= self._marks[-1].at + self._every:
            self._mark(end)
        return bool(piece)

    def _mark(self, end: int) -> None:
        self._marks.append(_Mark(end, self._packed_at, self._ahead, self._decoder.copy()))
        if len(self._marks) > _MOST_MARKS:
            self._marks = self._marks[::2]
            self._every *= 2

    def _piece(self) -> bytes:
        """Return the next unpacked bytes; none at the end, where one stream after another has ended."""
        while True:
            if self._decoder.eof:
                rest = self._rest()
                if not rest.startswith(_MAGIC):
                    return b""
                self._decoder, self._ahead = zlib.decompressobj(_WITH_HEADER), rest
            data = self._ahead or self._more()
            piece = self._decoder.decompress(data, _PIECE)
            self._ahead = self._decoder.unconsumed_tail
            if piece:
                return piece
            if not data and not self._decoder.eof:
                raise BadContent(GZIP_CUT)

    def _rest(self) -> bytes:
        """Return what follows the end of a stream, without padding."""
        rest = self._decoder.unused_data.lstrip(b"\0")
        while len(rest) < len(_MAGIC) and (more := self._more()):
            rest = (rest + more).lstrip(b"\0")
        return rest

    def _more(self) -> bytes:
        data = self._packed.read(_INPUT)
        self._packed_at += len(data)
        return data

    def _approach(self) -> None:
        """Go to the last mark before the place, if the place lies behind, or ahead of a mark that is ahead."""
        mark = self._marks[bisect_right(self._marks, self._position, key=attrgetter("at")) - 1]
        if self._start <= self._position and mark.at <= self._start + len(self._recent):
            return
        self._packed.seek(mark.packed_at)
        self._packed_at, self._ahead, self._decoder = mark.packed_at, mark.ahead, mark.decoder.copy()
        self._start, self._recent = mark.at, bytearray()

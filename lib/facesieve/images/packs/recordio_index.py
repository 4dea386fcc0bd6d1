"""The index of a .rec file: lines of a key, a tab, and the byte where the record begins."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from facesieve.images.packs.byte_ranges import ByteRanges
from facesieve.images.packs.text_lines import lines
from facesieve.images.protocol import BadContent

_ENTRY = re.compile(rb"([^\t\n]+)\t(\d{1,19})\s*")
_MOST_LINE = 4_096
_AT_ONCE = 20_000
"""Entries that are sorted at once, so that the file is read from its beginning to its end."""


class Entry(NamedTuple):
    """An entry: at which byte of the index it stands, and its key and offset, or what is wrong with it."""

    line: int
    offset: int
    key: str = ""
    problem: str = ""


def entries(ranges: ByteRanges, start: int, end: int) -> Iterator[Entry]:
    """Yield the entries whose lines begin from `start` to `end`, some thousands at a time by offset. Raises OSError."""
    batch = list[Entry]()
    for offset, line in lines(ranges, start, end, _MOST_LINE):
        if line is None or line.strip():
            batch.append(_entry(offset, line))
        if len(batch) == _AT_ONCE:
            yield from sorted(batch, key=lambda each: each.offset)
            batch.clear()
    yield from sorted(batch, key=lambda each: each.offset)


def refuse_entry(ranges: ByteRanges, offset: int) -> None:
    """Raise BadContent with what is wrong with the entry at a byte of an index."""
    raise BadContent(next(entries(ranges, offset, offset + 1)).problem)


def _entry(offset: int, line: bytes | None) -> Entry:
    match = _ENTRY.fullmatch(line or b"")
    if match is None:
        return Entry(offset, -1, problem=f"the line at byte {offset} of the index is no key, tab and byte")
    return Entry(offset, int(match[2]), match[1].decode(errors="backslashreplace"))

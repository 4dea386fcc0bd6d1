from __future__ import annotations

import pytest
from pack_writers import MXNET_IDX, CountedRanges

from facesieve.images.packs.recordio_index import Entry, entries, refuse_entry
from facesieve.images.protocol import BadContent


def test_what_mxnet_wrote_is_read() -> None:
    read = list(entries(CountedRanges(MXNET_IDX), 0, len(MXNET_IDX)))
    assert [(entry.key, entry.offset) for entry in read] == [("0", 0), ("1", 40), ("2", 88), ("3", 144), ("4", 196)]


def test_entries_come_by_offset_and_parts_have_each_once() -> None:
    ranges = CountedRanges(b"7\t30\n8\t10\r\n\nname\t20")
    assert [entry.key for entry in entries(ranges, 0, ranges.size)] == ["8", "name", "7"]
    parts = [entry.key for start in range(0, ranges.size, 4) for entry in entries(ranges, start, start + 4)]
    assert sorted(parts) == ["7", "8", "name"]


@pytest.mark.parametrize("line", [b"7 30", b"7\t", b"7\tx", b"\t7", b"\xff" * 9, b"7\t-1", b"7\t" + b"9" * 5_000])
def test_a_line_that_is_no_entry_is_told_where_it_stands(line: bytes) -> None:
    ranges = CountedRanges(b"0\t0\n" + line + b"\n1\t40\n")
    broken, *sound = entries(ranges, 0, ranges.size)
    assert [entry.key for entry in sound] == ["0", "1"]
    assert broken == Entry(4, -1, problem="the line at byte 4 of the index is no key, tab and byte")
    with pytest.raises(BadContent, match="the line at byte 4 of the index"):
        refuse_entry(ranges, 4)

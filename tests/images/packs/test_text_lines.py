from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pack_writers import CountedRanges

from facesieve.images.packs import text_lines
from facesieve.images.packs.text_lines import line_at, lines

TEXTS = st.text("ab\n\r", max_size=60).map(str.encode)


@given(TEXTS, st.integers(1, 12), st.integers(1, 9))
def test_the_parts_of_a_file_have_all_of_its_lines_each_once(text: bytes, part: int, block: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_lines, "_BLOCK", block)
        ranges = CountedRanges(text)
        read = [each for start in range(0, len(text), part) for each in lines(ranges, start, start + part, 99)]
    expected, at = [], 0
    for line in text.split(b"\n"):
        expected += [(at, line.removesuffix(b"\r"))] if at < len(text) else []
        at += len(line) + 1
    assert read == expected
    assert [line_at(ranges, offset, 99) for offset, _ in read] == [line for _, line in read]


@given(st.lists(st.integers(0, 12), min_size=1, max_size=6), st.integers(1, 9))
def test_a_line_that_is_too_long_is_none_and_the_others_stay(lengths: list[int], block: int) -> None:
    text = b"".join(b"x" * length + b"\n" for length in lengths)
    ranges = CountedRanges(text, block)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_lines, "_BLOCK", block)
        read = list(lines(ranges, 0, len(text), 5))
    assert [line for _, line in read] == [None if length > 5 else b"x" * length for length in lengths]
    assert [line_at(ranges, offset, 5) for offset, _ in read] == [line for _, line in read]


def test_a_line_is_read_without_much_beyond_it() -> None:
    ranges = CountedRanges(b"x" * 10_000 + b"\n" + b"y" * 1_000_000, 4_096)
    assert line_at(ranges, 0, 1 << 20) == b"x" * 10_000
    assert ranges.bytes_read < 20_000

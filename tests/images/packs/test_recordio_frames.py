from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pack_writers import MAGIC, MXNET_REC, CountedRanges, framed

from facesieve.images.packs import recordio_frames
from facesieve.images.packs.recordio_frames import frame, next_record, payload
from facesieve.images.protocol import BadContent

PAYLOADS = st.lists(st.sampled_from([MAGIC, b"abcd", b"x", MAGIC[:2]]), max_size=9).map(b"".join)


def test_what_mxnet_wrote_is_read() -> None:
    ranges = CountedRanges(MXNET_REC)
    whole = frame(ranges, 88)
    assert (whole.end, whole.size, len(whole.parts)) == (144, 43, 2)
    record = payload(ranges, whole)
    assert record[8:12] == MAGIC
    assert record[24:] == b"xx" + MAGIC + b"BBBB" + MAGIC + MAGIC + b"c"


@given(st.lists(PAYLOADS, max_size=6))
def test_records_come_back_as_they_were_written(payloads: list[bytes]) -> None:
    ranges, at, read = CountedRanges(b"".join(map(framed, payloads))), 0, []
    while at < ranges.size:
        whole = frame(ranges, at)
        assert (whole.size, payload(ranges, whole, 5)) == (len(payload(ranges, whole)), payload(ranges, whole)[:5])
        read.append(payload(ranges, whole))
        at = whole.end
    assert read == payloads


@given(st.lists(PAYLOADS, max_size=6), st.integers(0, 150), st.integers(0, 150), st.integers(1, 8))
def test_reading_begins_anywhere(payloads: list[bytes], start: int, length: int, block: int) -> None:
    content, begins = b"", []
    for each in payloads:
        begins.append(len(content))
        content += framed(each)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recordio_frames, "_BLOCK", 4 * block)
        at = next_record(CountedRanges(content), start, start + length)
    assert at == next((begin for begin in begins if start <= begin < start + length), None)


@pytest.mark.parametrize(
    ("content", "at", "problem"),
    [
        (framed(b"abcd"), 12, "is not there: the file ends at byte 12"),
        (framed(b"abcd"), 99, "is not there: the file ends at byte 12"),
        (framed(b"abcd")[:10], 0, "is cut: the file ends at byte 10"),
        (framed(b"abcd")[:6], 0, "is cut: the file ends at byte 6"),
        (framed(b"abcd"), 4, "no record begins at byte 4"),
        (framed(b"abcd" + MAGIC + b"e")[12:], 0, "parts do not fit together"),
        (framed(b"abcd" + MAGIC + b"e")[:12] + framed(b"f"), 0, "parts do not fit together"),
        (framed(b"abcd" + MAGIC + b"e")[:12], 0, "is cut"),
    ],
)
def test_what_is_no_whole_record_is_told(content: bytes, at: int, problem: str) -> None:
    with pytest.raises(BadContent, match=problem):
        frame(CountedRanges(content), at)


def test_a_length_that_runs_into_the_next_record_is_told() -> None:
    content = bytearray(framed(b"a" * 40) + framed(b"b" * 40) + framed(b"c" * 40))
    content[4] = 60
    with pytest.raises(BadContent, match="runs into the next"):
        frame(CountedRanges(bytes(content)), 0)


def test_a_payload_that_was_not_split_is_read_all_the_same() -> None:
    content = framed(b"abcd" + MAGIC + struct.pack("<I", 4) + b"efgh", split=False) + framed(b"next")
    whole = frame(CountedRanges(content), 0)
    assert payload(CountedRanges(content), whole)[12:] == b"efgh"


def test_an_endless_chain_of_parts_is_not_followed() -> None:
    part = MAGIC + struct.pack("<I", 2 << 29)
    chain = MAGIC + struct.pack("<I", 1 << 29) + part * 10_000
    with pytest.raises(BadContent, match="parts do not fit"):
        frame(CountedRanges(chain), 0)

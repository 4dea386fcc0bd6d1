from __future__ import annotations

import pickle
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pack_writers import CountedRanges, masked, tf_framed

from facesieve.images.packs import tfrecord_frames
from facesieve.images.packs.tfrecord_frames import Damaged, frame, next_record, record_length
from facesieve.images.protocol import BadContent

TENSORFLOW = bytes.fromhex("0300000000000000b099490e6162636e57f121000000000000000029039807d8ea82a2")
"""What TensorFlow 2.21 wrote of the records `abc` and nothing."""

RECORDS = st.lists(st.binary(max_size=12), max_size=5)


def test_what_tensorflow_wrote_is_read() -> None:
    ranges = CountedRanges(TENSORFLOW)
    first = frame(ranges, 0)
    assert (first.data, frame(ranges, first.end).data) == (b"abc", b"")
    assert tf_framed(b"abc") + tf_framed(b"") == TENSORFLOW


@given(RECORDS)
def test_records_come_back_as_they_were_written(records: list[bytes]) -> None:
    ranges, at, read = CountedRanges(b"".join(map(tf_framed, records))), 0, []
    while at < ranges.size:
        whole = frame(ranges, at)
        assert record_length(ranges, at) == len(whole.data)
        read.append(whole.data)
        at = whole.end
    assert read == records


@given(RECORDS, st.integers(0, 99), st.integers(0, 99), st.integers(1, 30))
def test_reading_begins_anywhere(records: list[bytes], start: int, length: int, block: int) -> None:
    content, begins = b"", []
    for each in records:
        begins.append(len(content))
        content += tf_framed(each)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tfrecord_frames, "_BLOCK", block)
        at = next_record(CountedRanges(content), start, start + length)
    assert at == next((begin for begin in begins if start <= begin < start + length), None)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (tf_framed(b"abc")[:5], "is cut: the file ends at byte 5"),
        (tf_framed(b"abc")[:-1], "is cut: the file ends at byte 18"),
        (b"x" + tf_framed(b"abc")[1:], "no record begins at byte 0"),
        (struct.pack("<Q", 1 << 40) + masked(struct.pack("<Q", 1 << 40)), "says that it has 1099511627776 bytes"),
    ],
)
def test_what_is_no_whole_record_is_told(content: bytes, problem: str) -> None:
    with pytest.raises(BadContent, match=problem) as caught:
        frame(CountedRanges(content), 0)
    assert not isinstance(caught.value, Damaged)


def test_data_that_is_damaged_ends_where_it_did() -> None:
    content = tf_framed(b"abc").replace(b"abc", b"abd")
    with pytest.raises(Damaged, match="is damaged: its checksum is another") as caught:
        frame(CountedRanges(content + tf_framed(b"next")), 0)
    damaged = pickle.loads(pickle.dumps(caught.value))
    assert (damaged.end, damaged.words) == (19, caught.value.words)

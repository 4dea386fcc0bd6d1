from __future__ import annotations

import gzip
import io
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facesieve.images.packs import gzip_stream
from facesieve.images.packs.gzip_stream import GZIP_CUT, GZIP_DAMAGED, GzipStream
from facesieve.images.packs.members import Limits
from facesieve.images.protocol import BadContent

PLAIN = random.Random(0).randbytes(3_000_000) + bytes(500_000) + random.Random(1).randbytes(100_000)
PACKED = gzip.compress(PLAIN, 1)


class Counted(io.BytesIO):
    """A file that counts the bytes that are read of it."""

    taken = 0

    def read(self, size: int | None = -1) -> bytes:
        part = super().read(size)
        self.taken += len(part)
        return part


@given(st.lists(st.tuples(st.integers(0, len(PLAIN) + 10), st.integers(0, 400_000)), max_size=8))
def test_any_place_reads_as_in_the_plain_bytes(places: list[tuple[int, int]]) -> None:
    stream = GzipStream(io.BytesIO(PACKED))
    for at, size in places:
        stream.seek(at)
        assert stream.read(size) == PLAIN[at : at + size]
        assert stream.tell() == at + len(PLAIN[at : at + size])


def test_forward_with_short_steps_back_the_file_is_read_once() -> None:
    packed = Counted(PACKED)
    stream = GzipStream(packed)
    for at in range(0, len(PLAIN), 50_000):
        stream.seek(max(0, at - 30_000))
        assert stream.read(60_000) == PLAIN[max(0, at - 30_000) : max(0, at - 30_000) + 60_000]
    assert stream.read() == PLAIN[stream.tell() :] or stream.tell() >= len(PLAIN)
    assert packed.taken == len(PACKED)


def test_a_step_far_back_or_ahead_goes_to_the_nearest_mark() -> None:
    packed = Counted(PACKED)
    stream = GzipStream(packed)
    stream.read()
    before = packed.taken
    for at in (100, 2_500_000):
        stream.seek(at)
        assert stream.read(10) == PLAIN[at : at + 10]
    assert packed.taken - before < 1_000_000


def test_streams_one_after_another_are_one_and_padding_is_its_end() -> None:
    whole = gzip.compress(b"a" * 10) + gzip.compress(b"b" * 10) + bytes(700) + gzip.compress(b"c") + bytes(512)
    assert GzipStream(io.BytesIO(whole)).read() == b"a" * 10 + b"b" * 10 + b"c"
    assert GzipStream(io.BytesIO(gzip.compress(b"a") + b"not gzip")).read() == b"a"


def test_a_cut_is_told_after_all_that_comes_before() -> None:
    stream = GzipStream(io.BytesIO(PACKED[: len(PACKED) // 2]))
    assert stream.read(1_000_000) == PLAIN[:1_000_000]
    with pytest.raises(BadContent, match=GZIP_CUT):
        stream.read()


def test_a_flipped_byte_is_told() -> None:
    broken = bytearray(PACKED)
    broken[-6] ^= 1  # of the checksum
    with pytest.raises(BadContent, match=GZIP_DAMAGED):
        GzipStream(io.BytesIO(bytes(broken))).read()


def test_a_stream_of_nearly_nothing_is_a_bomb_above_the_limit_alone() -> None:
    packed = gzip.compress(bytes(1_000_000))
    with pytest.raises(BadContent, match="unpacks to more than 50 times"):
        GzipStream(io.BytesIO(packed), Limits(free=100_000, ratio=50)).read()
    assert len(GzipStream(io.BytesIO(packed), Limits(free=2_000_000, ratio=50)).read()) == 1_000_000


def test_marks_are_few_however_long_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gzip_stream, "_MARK_EVERY", 1 << 16)
    monkeypatch.setattr(gzip_stream, "_MOST_MARKS", 6)
    stream = GzipStream(io.BytesIO(PACKED))
    stream.read()
    assert len(stream._marks) <= 6
    for at in (3_100_000, 100_000, 1_700_000, 0):
        stream.seek(at)
        assert stream.read(99) == PLAIN[at : at + 99]

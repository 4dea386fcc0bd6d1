from __future__ import annotations

import os
import pickle
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pack_writers import CountedRanges, verification

from facesieve.images.packs.pickled_pairs import content, images
from facesieve.images.protocol import BadContent

JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256))


def _read(data: bytes) -> list[bytes]:
    ranges = CountedRanges(data)
    return [content(ranges, each.offset) for each in images(ranges)]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@given(st.lists(st.binary(min_size=1, max_size=300), max_size=5))
def test_bytes_come_back_as_they_were_pickled(protocol: int, pictures: list[bytes]) -> None:
    assert _read(verification(pictures, protocol)) == pictures
    sizes = [each.size for each in images(CountedRanges(verification(pictures, 4)))]
    assert sizes == [len(picture) for picture in pictures]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_arrays_of_bytes_come_back_as_bytes(protocol: int) -> None:
    arrays = [np.frombuffer(JPEG, np.uint8), np.frombuffer(JPEG[::-1], np.int8).copy(), bytearray(JPEG)]
    assert _read(verification(arrays, protocol)) == [JPEG, JPEG[::-1], JPEG]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_the_second_list_may_be_of_numpy(protocol: int) -> None:
    for same in ([np.bool_(True), np.bool_(False)], np.array([True, False]), [1, 0]):
        assert _read(pickle.dumps([[JPEG, JPEG], same], protocol)) == [JPEG, JPEG]


def test_what_python_2_wrote_is_read() -> None:
    """A string of Python 2 is bytes; so pickled its protocol 2."""
    short, long = b"U\x03abc", b"T" + struct.pack("<i", len(JPEG)) + JPEG
    data = b"\x80\x02]q\x01(" + short + b"q\x02" + long + b"q\x03h\x02e]q\x04(\x88\x89e\x86q\x05."
    assert _read(data) == [b"abc", JPEG, b"abc"]


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("true",)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (Evil(), r"it asks for \w+.system"),
        ({"a": 1}, "it has the step"),
        (np.array([object()]), "it (asks for|has the step)"),
        (print, r"it asks for \w+.print"),
    ],
)
def test_nothing_else_is_known(protocol: int, value: object, problem: str) -> None:
    for pickled in (([JPEG, value], [True]), value):
        with pytest.raises(BadContent, match=problem):
            images(CountedRanges(pickle.dumps(pickled, protocol)))


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (5, "of something else"),
        ([JPEG], "of something else"),
        ((JPEG, [True]), "of something else"),
        (([JPEG, None], [True]), "image 1 of the list is no bytes"),
        (([np.array([1.0, 2.0])], [True]), "image 0 of the list is no bytes"),
    ],
)
def test_another_shape_is_told(value: object, problem: str) -> None:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(BadContent, match=problem):
            images(CountedRanges(pickle.dumps(value, protocol)))


def test_a_set_that_is_cut_anywhere_is_told() -> None:
    for protocol in (2, 4, 5):
        data = verification([JPEG, np.frombuffer(JPEG, np.uint8)], protocol)
        for length in range(len(data)):
            with pytest.raises(BadContent, match="no list of images"):
                images(CountedRanges(data[:length]))


@given(st.binary(max_size=60))
def test_any_bytes_are_a_set_or_told(data: bytes) -> None:
    for program in (data, b"\x80\x04" + data, b"\x80\x02]" + data + b"."):
        try:
            images(CountedRanges(program))
        except BadContent:
            continue


def test_a_length_beyond_all_bounds_takes_no_memory() -> None:
    for step in (b"B\xff\xff\xff\x7f", b"\x8e" + struct.pack("<Q", 1 << 60), b"r\xff\xff\xff\x7f"):
        with pytest.raises(BadContent):
            images(CountedRanges(b"\x80\x04]" + step))


def test_a_step_that_writes_no_bytes_is_told() -> None:
    data = verification([JPEG])
    for offset in (0, len(data), 10_000):
        with pytest.raises(BadContent, match="written at byte"):
            content(CountedRanges(data), offset)

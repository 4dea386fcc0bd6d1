from __future__ import annotations

from pathlib import Path

import pyarrow.fs as pafs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pack_writers import CountedRanges

from facesieve.images.packs.byte_ranges import byte_ranges
from facesieve.images.storage import Storage

CONTENT = bytes(range(256)) * 2_000


@pytest.mark.parametrize("ahead", [False, True])
def test_any_range_of_a_file_is_read(tmp_path: Path, ahead: bool) -> None:
    (tmp_path / "a").write_bytes(CONTENT)
    with byte_ranges(Storage(str(tmp_path)), "a", ahead=ahead) as ranges:
        assert ranges.size == len(CONTENT)
        for offset, length in ((0, 4), (2, 9), (500_000, 100), (0, 300_000), (511_990, 20), (512_000, 4), (600_000, 1)):
            assert ranges.read(offset, length) == CONTENT[offset : offset + length]


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 80)), max_size=20), st.integers(0, 64))
def test_a_window_changes_nothing(asked: list[tuple[int, int]], least: int) -> None:
    content = CONTENT[:257]
    ranges = CountedRanges(content, least)
    assert [ranges.read(*each) for each in asked] == [content[at : at + length] for at, length in asked]


def test_small_ranges_in_a_row_are_read_once() -> None:
    ranges = CountedRanges(CONTENT, 4_096)
    for at in range(0, len(CONTENT), 64):
        ranges.read(at, 32)
    assert ranges.bytes_read == len(CONTENT)


def test_a_file_elsewhere_is_read_in_ranges(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(CONTENT)
    files = pafs.SubTreeFileSystem(str(tmp_path), pafs.LocalFileSystem())
    monkeypatch.setattr(Storage, "at", lambda self, name="": (files, name))
    with byte_ranges(Storage("s3://bucket/place"), "a", ahead=True) as ranges:
        assert (ranges.size, ranges.read(300_000, 10)) == (len(CONTENT), CONTENT[300_000:300_010])


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), byte_ranges(Storage(str(tmp_path)), "a"):
        pass
    with pytest.raises(OSError, match="not a name below the root"), byte_ranges(Storage(str(tmp_path)), "../a"):
        pass

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from facesieve.images.packs.records import PackFile, cut


@given(st.lists(st.integers(1, 99), max_size=6), st.integers(1, 20), st.integers(1, 30))
def test_the_pieces_of_files_are_all_of_them_each_byte_once(sizes: list[int], wanted: int, least: int) -> None:
    files = [PackFile(str(number), size, None) for number, size in enumerate(sizes)]
    pieces = list(cut(files, wanted, least))
    for file in files:
        mine = [(start, end) for each, start, end in pieces if each == file]
        assert [byte for start, end in mine for byte in range(start, end)] == list(range(file.size))
        assert all(end - start >= least for start, end in mine[:-1])
    assert len(pieces) <= wanted + len(files)
    assert least > 1 or len(pieces) >= min(wanted, sum(sizes)) / 2

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facesieve.images.uris import to_name, to_uri

NAMES = st.lists(
    st.sampled_from([b"\\", b"x", b"5", b"c", b"e", b"9", b"\xe9", b"\xff", b"\xc3", b"\xa9", b"a", b"%"]) | st.binary()
).map(b"".join)


@given(NAMES)
def test_any_bytes_become_text_that_finds_them_again(name: bytes) -> None:
    assert to_name(to_uri(name)) == name


@given(NAMES, NAMES)
def test_two_names_are_two_uris(first: bytes, second: bytes) -> None:
    assert (to_uri(first) == to_uri(second)) == (first == second)


@given(st.text(alphabet=st.characters(exclude_characters="\\", exclude_categories=["Cs"])))
def test_a_name_in_utf8_is_its_own_uri(name: str) -> None:
    assert to_uri(name.encode()) == name


def test_a_name_that_looks_like_an_escape_is_another_file(tmp_path: Path) -> None:
    names = [b"\xe9", rb"\xe9", rb"\x5cxe9", "é".encode("latin-1") + rb"\x5c", rb"\x41", rb"\xE9"]
    for number, name in enumerate(names):
        with open(os.path.join(os.fsencode(tmp_path), name), "wb") as file:
            file.write(bytes([number]))
    assert len(set(map(to_uri, names))) == len(names)
    assert [to_uri(name) for name in names[-2:]] == [r"\x41", r"\xE9"], "these read as no escape"
    for number, name in enumerate(names):
        assert Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), to_name(to_uri(name))))).read_bytes()[0] == number


def test_text_that_is_no_utf8_is_no_uri() -> None:
    with pytest.raises(UnicodeEncodeError):
        to_name("\udcff")

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facesieve.images.packs.locators import Locator, located, with_suffix
from facesieve.images.protocol import BadContent

PARTS = st.text(st.characters(codec="utf-8"), max_size=4) | st.sampled_from(["%", "#", "%23", "%25", "@7#", "23"])
TEXT = st.lists(PARTS, max_size=4).map("".join)


@given(TEXT.filter(bool), st.integers(0, 1 << 60), TEXT)
def test_a_uri_leads_back_to_what_it_was_written_from(file: str, offset: int, name: str) -> None:
    assert located(Locator(file, offset, name).uri) == Locator(file, offset, name)


@given(st.lists(st.tuples(TEXT.filter(bool), st.integers(0, 99), TEXT), min_size=2, max_size=2, unique=True))
def test_no_two_images_have_one_uri(places: list[tuple[str, int, str]]) -> None:
    assert len({Locator(*place).uri for place in places}) == 2


@pytest.mark.parametrize("uri", ["a.jpg", "train.rec#17", "train.rec@x#17", "@5#", "train.rec@5", ""])
def test_another_uri_names_no_record(uri: str) -> None:
    with pytest.raises(BadContent, match="names no record"):
        located(uri)


def test_a_usual_suffix_in_any_case_stays() -> None:
    assert [with_suffix(name, b"\xff\xd8\xff") for name in ("a.JPEG", "a.jfif", "a.png", "")] == [
        "a.JPEG",
        "a.jfif",
        "a.png",
        ".jpg",
    ]

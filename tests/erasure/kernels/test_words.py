"""Names in texts, taken whole."""

from __future__ import annotations

import pytest

from facesieve.erasure.kernels.words import GONE, pattern, without


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("such as ann.", f"such as {GONE}."),
        ("ann/1.jpg and annual", f"{GONE} and annual"),
        ("ann_1.png, joann/1.jpg, x%2Fann/1.jpg", f"{GONE}_1.png, joann/1.jpg, x%2F{GONE}"),
        ("Zo%C3%A9 Zo\\u00e9 Zoé", f"{GONE} {GONE} {GONE}"),
        ("a+b", GONE),
    ],
)
def test_words_are_replaced_however_spelt(text: str, cleaned: str) -> None:
    words = pattern(["ann", "ann/1.jpg", "Zoé", "a+b"])
    assert words is not None
    assert without(text, words) == cleaned


def test_no_word_is_no_pattern() -> None:
    assert pattern([]) is None
    assert pattern([""]) is None


def test_longer_words_of_others_stay() -> None:
    words = pattern(["Ann"], ["Mary Ann", "Bob"])
    assert words is not None
    assert without("Ann, Mary Ann/2.jpg, Mary%20Ann, Joann", words) == f"{GONE}, Mary Ann/2.jpg, Mary%20Ann, Joann"

"""A hidden path is shown by its key alone, and tells neither the path nor, but roughly, its length."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facesieve.core.hidden_paths import PathSeal, is_hidden, path_seal
from facesieve.core.sections import Lake

SEAL = PathSeal(b"k" * 32)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_every_path_comes_back_under_its_key_alone(path: str) -> None:
    hidden = SEAL.hide(path)
    assert is_hidden(hidden)
    assert SEAL.show(hidden) == path
    assert PathSeal(b"o" * 32).show(hidden) == hidden
    assert "/" not in hidden


def test_equal_paths_are_equal_and_others_have_nothing_in_common() -> None:
    first, second = SEAL.hide("Ann/1.jpg"), SEAL.hide("Ann/2.jpg")
    assert first == SEAL.hide("Ann/1.jpg") != second
    assert sum(a == b for a, b in zip(first[2:], second[2:], strict=True)) < len(first) / 4
    assert {len(SEAL.hide("x" * size)) for size in range(32)} == {len(first)}, "lengths are told by blocks of 32"
    assert pickle.loads(pickle.dumps(SEAL)).show(first) == "Ann/1.jpg"
    assert "kkk" not in repr(SEAL)


def test_what_was_altered_is_shown_as_it_is() -> None:
    hidden = SEAL.hide("Ann/1.jpg")
    other = "A" if hidden[40] != "A" else "B"
    for altered in (hidden[:40] + other + hidden[41:], hidden[:2] + other + hidden[3:], f"{hidden}AAAA", f"{hidden}A"):
        assert SEAL.show(altered) == altered
    assert SEAL.show("u-boat/1.jpg") == "u-boat/1.jpg"
    assert SEAL.show("u-" + "A" * 65) == "u-" + "A" * 65, "no text of that alphabet fails"


def test_paths_are_hidden_only_where_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACESIEVE_NAMES_KEY", "k" * 32)
    assert path_seal(Lake()) is None
    assert path_seal(Lake(store_names=False)) is None
    assert path_seal(Lake(store_names=False, store_paths=False)) == SEAL

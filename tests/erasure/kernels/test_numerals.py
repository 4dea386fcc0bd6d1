"""Numerals are found as a regular expression finds them, also across the pieces in which a content is read."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facesieve.erasure.kernels import numerals
from facesieve.erasure.kernels.numerals import decimals, digests

TEXTS = st.text(alphabet="0123456789-x", max_size=200).map(str.encode)
HEX = st.text(alphabet="0aF9x", max_size=400).map(str.encode)


@given(content=TEXTS, lengths=st.sets(st.integers(1, 9), max_size=4))
def test_runs_of_digits_are_those_of_a_regular_expression(content: bytes, lengths: set[int]) -> None:
    runs = [each for each in re.findall(rb"\d+", content) if len(each) in lengths]
    assert [each for each in decimals(content, lengths) if each[:1] != b"-"] == runs
    signed = [each for each in re.findall(rb"-\d+", content) if len(each) - 1 in lengths]
    assert [each for each in decimals(content, lengths) if each[:1] == b"-"] == signed


@given(content=HEX)
def test_digests_are_runs_of_64(content: bytes) -> None:
    expected = re.findall(rb"(?<![0-9a-fA-F])[0-9a-fA-F]{64}(?![0-9a-fA-F])", content)
    assert list(digests(content)) == expected


@given(before=st.integers(0, 40), run=st.sampled_from([4, 5, 20, 21]))
def test_a_run_is_one_wherever_a_piece_ends(before: int, run: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numerals, "_AT_ONCE", 7)
        content = b"x" * before + b"1" * run + b"x" * 9
        assert list(decimals(content, {5, 20})) == ([b"1" * run] if run in (5, 20) else [])

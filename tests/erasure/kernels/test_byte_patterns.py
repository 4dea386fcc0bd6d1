"""Patterns are found where, and only where, `in` finds them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facesieve.erasure.kernels import byte_patterns
from facesieve.erasure.kernels.byte_patterns import BytePatterns

FEW = st.sampled_from([b"a", b"b"])
CONTENTS = st.lists(FEW, max_size=80).map(b"".join)
PATTERNS = st.lists(st.lists(FEW, min_size=8, max_size=12).map(b"".join), max_size=30, unique=True)


@given(content=CONTENTS, patterns=PATTERNS, at_once=st.integers(1, 40))
def test_what_is_found_is_what_is_there(content: bytes, patterns: list[bytes], at_once: int) -> None:
    """Two letters make many patterns with the same begin and the same end; pieces cut them anywhere."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(byte_patterns, "_AT_ONCE", at_once)
        found = set(BytePatterns([(each.decode(), each) for each in patterns]).places_in(content))
    there = {(each, start) for each in patterns for start in range(len(content)) if content.startswith(each, start)}
    assert found == {(each.decode(), start, start + len(each)) for each, start in there}


def test_one_pattern_may_be_of_two_kinds() -> None:
    patterns = BytePatterns([("id", b"12345678"), ("digest", b"12345678"), ("word", b"123456789")])
    assert set(patterns.places_in(b"..12345678..")) == {("id", 2, 10), ("digest", 2, 10)}
    assert list(patterns.places_in(b"1234567")) == []
    assert list(BytePatterns([]).places_in(b"12345678")) == []


def test_half_a_pattern_with_its_begin_and_its_end_is_nothing() -> None:
    patterns = BytePatterns([("vector", b"begin678-middle-12345end")])
    assert list(patterns.places_in(b"begin678-muddle-12345end")) == []

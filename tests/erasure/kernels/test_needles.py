"""What the proof looks for is found in every form in which it may be stored, and nothing else is."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facesieve.erasure.kernels.needles import Needles

VECTOR = tuple(map(float, np.random.default_rng(1).normal(size=24).astype(np.float32)))
DIGEST = hashlib.sha256(b"image").hexdigest()
NEEDLES = Needles(
    frozenset([-5_812_345_678_901_234_567, 77_777]),
    frozenset([DIGEST]),
    frozenset(["ann/Zoé 1.jpg"]),
    frozenset(["ann", "Zoé Álvarez"]),
    [VECTOR, (0.0,) * 24],
)
FORMS = {
    "little": ((-5_812_345_678_901_234_567).to_bytes(8, "little", signed=True), "id"),
    "big": ((-5_812_345_678_901_234_567).to_bytes(8, "big", signed=True), "id"),
    "decimal": (b" -5812345678901234567,", "id"),
    "small decimal": (b'"77777"', "id"),
    "digest": (bytes.fromhex(DIGEST), "digest"),
    "hex": (f" {DIGEST.upper()} ".encode(), "digest"),
    "uri": ("ann/Zoé 1.jpg".encode(), "word"),
    "percent": (b"ann/Zo%C3%A9%201.jpg", "word"),
    "json": (json.dumps("Zoé Álvarez").encode(), "word"),
    **{f"vector {kind}": (np.array(VECTOR, kind).tobytes(), "vector") for kind in ("<f2", ">f4", "<f4", "<f8")},
}


@pytest.mark.parametrize("form", FORMS)
@given(before=st.binary(max_size=40), after=st.binary(max_size=40))
def test_every_form_is_found_wherever_it_stands(form: str, before: bytes, after: bytes) -> None:
    content, kind = FORMS[form]
    assert kind in NEEDLES.in_bytes(before + b"|" + content + b"|" + after)


@given(content=st.binary(max_size=4096))
def test_nothing_is_found_where_nothing_is(content: bytes) -> None:
    assert NEEDLES.in_bytes(content) == set()


def test_half_a_pattern_is_nothing() -> None:
    assert NEEDLES.in_bytes(bytes.fromhex(DIGEST)[:20] + bytes(40)) == set()
    assert NEEDLES.in_bytes(b"177777 777770 x" + DIGEST[:63].encode()) == set()
    assert NEEDLES.in_bytes(bytes(8 * 24)) == set(), "a vector of zeros stands everywhere"


def test_a_short_name_is_a_word_of_a_text() -> None:
    assert NEEDLES.in_text("folders/ann/2.jpg") == {"word"}
    assert NEEDLES.in_text("annual, Joann") == set()
    assert NEEDLES.in_bytes(b"..ann..") == set()


WORDS = Needles(frozenset(), frozenset(), frozenset(["faces.npy#12", "a/1.jpg"]), frozenset(["Ann Lee", "Li"]), [])
"""One uri is the begin of others' (`faces.npy#123`), one is the end of others' (`data/1.jpg`), as is the name."""


@pytest.mark.parametrize("text", ["faces.npy#123 and data/1.jpg", "MaryAnn Lee", "Ann Leeson", "Lima, Oli"])
def test_a_piece_of_the_word_of_another_is_no_word_of_the_subject(text: str) -> None:
    assert WORDS.in_text(text) == set()
    assert WORDS.in_part(text.encode()) == set()


@pytest.mark.parametrize(
    "text",
    [
        "faces.npy#12",
        "/lake/a/1.jpg",
        "Ann Lee_0001.jpg",
        "see\\nAnn Lee",
        "x%2Fa/1.jpg",
        "\\u00e9Ann%20Lee",
        "Li",
        "Li_2",
    ],
)
def test_a_word_counts_wherever_it_may_begin(text: str) -> None:
    assert WORDS.in_text(text) == {"word"}


def test_in_bytes_of_a_known_form_a_length_may_stand_before_a_word_and_a_letter_behind_it() -> None:
    assert WORDS.in_part(b"\x18faces.npy#123") == {"word"}, "zigzag, as in Avro; what follows is another value"
    assert WORDS.in_part(b"\x0cfaces.npy#12A") == {"word"}, "as in Thrift"
    long = Needles(frozenset(), frozenset(), frozenset(["u" * 70]), frozenset(), [])
    assert long.in_part(b"x\x8c\x01" + b"u" * 70 + b"9") == {"word"}
    assert long.in_part(b"x\x8d\x01" + b"u" * 70 + b"9") == set()


def test_in_bytes_of_no_known_form_every_piece_counts_and_in_a_compressed_form_none() -> None:
    assert WORDS.in_bytes(b"faces.npy#123") == WORDS.in_bytes(b"MaryAnn Lee") == {"word"}
    assert WORDS.in_compressed(b" faces.npy#12 ") == set()
    assert NEEDLES.in_compressed(bytes.fromhex(DIGEST)) == {"digest"}

"""What the proof looks for is found in every form in which it may be stored, and nothing else is."""

from __future__ import annotations

import hashlib
import json
import unicodedata

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


WORDS = Needles(frozenset(), frozenset(), frozenset(["faces.npy#12", "a/1.jpg"]), frozenset(["Ann Lee", "Lim"]), [])
"""One uri is the begin of others' (`faces.npy#123`), one is the end of others' (`data/1.jpg`), as is the name."""


@pytest.mark.parametrize(
    "text", ["faces.npy#123 and data/1.jpg", "MaryAnn Lee", "Ann Leeson", "Lima, Olim, Lim_2, 1 Lim"]
)
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
        "Lim,2",
        "/Lim/",
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
    assert WORDS.in_bytes(b'"Lim"') == set(), "a short name"
    assert NEEDLES.in_compressed(bytes.fromhex(DIGEST)) == {"digest"}


def test_a_name_of_digits_counts_as_a_whole_value_alone() -> None:
    label = Needles(frozenset(), frozenset(), frozenset(), frozenset(["2026", "7"]), [])
    assert label.in_text("2026-11-30T07:00, 7,7 /2026/ bucket=7") == set()
    assert label.in_text("6\n7\n8") == label.in_text('{"identity": "2026"}') == {"word"}
    assert label.in_name("run/folders/7/1.jpg") == {"word"}
    assert label.in_name("run/folders/77/1.jpg") == set()


def test_a_name_inside_a_longer_name_of_another_is_not_the_subject() -> None:
    names = frozenset(["Ann Lee", "export"])
    others = frozenset(["Mary Ann Lee", "/lake/export", "export"])
    needles = Needles(frozenset(), frozenset(), frozenset(), names, [], others)
    text = '"Mary Ann Lee/1.jpg", "Mary%20Ann%20Lee", "file:/lake/export/2026/x"'
    assert needles.in_text(text) == needles.in_bytes(text.encode()) == set()
    assert needles.in_text(text + ', "Ann Lee"') == needles.in_text('"/other/export/"') == {"word"}


SPELT = {
    "json": json.dumps('Zoë "q" Y'),
    "json with its letters": json.dumps('Zoë "q" Y', ensure_ascii=False),
    "json in json": json.dumps(json.dumps('Zoë "q" Y')),
    "csv": '1,"Zoë ""q"" Y",2',
    "html": "<b>Zoë &quot;q&quot; Y</b>",
    "url": "x/Zo%c3%ab%20%22q%22%20Y/1.jpg",
    "form": "name=Zo%C3%AB+%22q%22+Y",
    "folder of an export": "folders/Zoë %22q%22 Y/1.jpg",
    "other Unicode form": unicodedata.normalize("NFD", 'Zoë "q" Y'),
}


@pytest.mark.parametrize("form", SPELT)
def test_a_name_is_found_however_it_is_spelt(form: str) -> None:
    assert Needles(frozenset(), frozenset(), frozenset(), frozenset(['Zoë "q" Y']), []).in_text(SPELT[form]) == {"word"}

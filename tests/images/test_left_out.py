from __future__ import annotations

import pytest

from facesieve.images.kinds import DECODABLE, sort_of
from facesieve.images.left_out import counts, warnings
from facesieve.images.protocol import Ignored, IgnoredKind, Sort


def _ignored(*pairs: tuple[str, int]) -> Ignored:
    return Ignored(tuple(IgnoredKind(kind, sort_of(kind), count, f"a/x{count}") for kind, count in pairs))


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        ("unreadable folder", "Let the user of the job read them"),
        ("link to a folder", "images.follow_links = true"),
        (".gif", "Add .gif to images.suffixes, and GIF to embed.formats."),
        (".heic", "Add .heic to images.suffixes, and HEIC to embed.formats."),
        (".jpg", "images.suffixes"),
        ("image file", "images.format"),
        ("Parquet file without its suffix", ".parquet"),
        ("Parquet file with _ or . before its name", "Rename"),
        (".rar", "unpack"),
        (".parquet", "images.format"),
        (".tga", "Convert"),
    ],
)
def test_what_could_be_an_image_is_a_warning_with_count_and_key(kind: str, key: str) -> None:
    (sentence,) = warnings(_ignored((kind, 12)))
    assert sentence.startswith(f"images.root: left out are 12 {kind}: ")
    assert key in sentence
    assert "a/x12" not in sentence, "no name of a file is logged"


def test_one_sentence_for_one_deed_and_none_for_what_is_no_image() -> None:
    assert warnings(_ignored((".txt", 3), ("no suffix", 2))) == ()
    (sentence,) = warnings(_ignored((".tar", 3), (".zip", 2)))
    assert "3 .tar, 2 .zip" in sentence
    litter = Ignored((IgnoredKind(".gif", Sort.LITTER, 3),))
    assert warnings(litter) == ()


def test_of_several_formats_exactly_those_that_are_there_are_named() -> None:
    (sentence,) = warnings(_ignored((".heic", 3), (".hif", 1), (".jxl", 2)))
    assert sentence.endswith("Add .heic, .hif and .jxl to images.suffixes, and HEIC and JXL to embed.formats.")


def test_every_kind_is_told() -> None:
    words = counts(_ignored(*((suffix, 1) for suffix in DECODABLE), (".txt", 1), (".a", 1), (".b", 1), (".c", 12_345)))
    assert all(suffix in words for suffix in (*DECODABLE, ".txt", ".a", ".b", "12,345 .c"))

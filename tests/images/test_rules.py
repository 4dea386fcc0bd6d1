from __future__ import annotations

import io
import pickle

import pytest
from PIL import Image

from facesieve.core.sections import Images
from facesieve.images.protocol import Sort
from facesieve.images.rules import LeftOut, Rules, suffix_of

RULES = Rules.of(Images(root="any"))
_FILE = io.BytesIO()
Image.new("RGB", (9, 9)).save(_FILE, "JPEG")
JPEG = _FILE.getvalue()


def _never() -> bytes:
    raise AssertionError("the file was opened")


@pytest.mark.parametrize("name", ["a.jpg", "a.JPG", "b.jfif", "c.jpe", "d.pgm", "e.PNM", "x y.jpeg", "é.WebP"])
def test_the_usual_suffixes_are_images_unopened(name: str) -> None:
    assert RULES.left_out(name, _never) is None


@pytest.mark.parametrize("name", ["a.txt", "a.json", "a.jpg.xml", "a.gif", "a.zip", "a.tar.gz", "a.parquet", "a.npy"])
def test_the_usual_other_suffixes_are_left_out_unopened(name: str) -> None:
    assert RULES.left_out(name, _never) is not None


@pytest.mark.parametrize(
    "name",
    [
        "photo",
        "photo.jpg?w=640",
        "photo.jpg_large",
        "photo.jpg~",
        "photo.jpg.1",
        "IMG.0001",
        "a.ashx",
        "a.heic",
        ".jpg",
    ],
)
def test_other_names_are_told_by_content(name: str) -> None:
    assert RULES.left_out(name, lambda: JPEG) is None
    assert RULES.left_out(name, lambda: b"") == LeftOut(
        suffix_of(name) or "no suffix", Sort.MAYBE if name.endswith("heic") else Sort.NO_IMAGE
    )
    assert RULES.left_out(name, lambda: b"GIF89a") == LeftOut(".gif", Sort.MAYBE)


def test_what_cannot_be_opened_is_said() -> None:
    def denied() -> bytes:
        raise PermissionError

    def gone() -> bytes:
        raise FileNotFoundError

    assert RULES.left_out("a", denied) == LeftOut("unreadable file", Sort.UNREADABLE)
    assert RULES.left_out("a", gone) == LeftOut("link to nothing", Sort.UNREADABLE)


def test_content_counts_as_the_suffixes_say() -> None:
    assert Rules(frozenset({".png"})).left_out("a", lambda: JPEG) == LeftOut(".jpg", Sort.MAYBE)
    assert Rules(frozenset({".jpe"})).left_out("a", lambda: JPEG) is None


@pytest.mark.parametrize("name", ["a.jpg", "a.JPEG", "a.webp", "a"])
def test_an_image_that_the_suffixes_leave_out_is_told_of(name: str) -> None:
    left_out = Rules(frozenset({".png"})).left_out(name, lambda: JPEG)
    assert left_out is not None
    assert left_out.sort is Sort.MAYBE


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("@eaDir", "@eaDir"),
        ("@EADIR", "@eaDir"),
        ("._a.jpg", "._*"),
        (".Trash-1000", ".Trash*"),
        (".trashed-1700000000-IMG_1.jpg", ".Trash*"),
        ("$Recycle.Bin", "$RECYCLE.BIN"),
        ("a.jpg_original", "*.jpg_original"),
        ("thumbs.db", "Thumbs.db"),
    ],
)
def test_litter_is_a_pattern_in_any_case(name: str, pattern: str) -> None:
    assert RULES.litter(name) == LeftOut(pattern, Sort.LITTER)
    assert RULES.litter_above(f"a/{name}/b") == LeftOut(pattern, Sort.LITTER)


@pytest.mark.parametrize("name", ["eaDir", "a@eaDir", "a._b", "Trash", ".a.jpg", "thumbnails", "git", "x.DS_Store"])
def test_a_pattern_is_for_the_whole_name(name: str) -> None:
    assert RULES.litter(name) is None


def test_patterns_with_wild_characters() -> None:
    rules = Rules(frozenset(), ("thumb_?.*", "[xy]1", "a+b"))
    names = ["thumb_1.jpg", "thumb_12.jpg", "x1", "z1", "a+b", "aab", "thumb_1"]
    assert [bool(rules.litter(name)) for name in names] == [True, False, True, False, True, False, False]
    assert pickle.loads(pickle.dumps(rules)) == rules
    assert Rules(frozenset()).litter("") is None

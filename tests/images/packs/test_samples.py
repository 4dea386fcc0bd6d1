from __future__ import annotations

import json
from pathlib import Path

import pytest
from packed import RULES, Files, gzipped, placed, tar

from facesieve.images.packs.samples import NO_PICTURE, PICTURES, SampleFetch, samples
from facesieve.images.protocol import BadContent, Sort
from facesieve.images.walk import Entry


def _entries(root: Path, files: Files, *, pack: bool = False) -> list[Entry]:
    content = tar(files)
    storage, file = placed(root, "0.tar", gzipped(content) if pack else content)
    return list(samples(storage, file, RULES, "identity"))


def _images(entries: list[Entry]) -> dict[str, str | None]:
    return {entry.uri.removeprefix("0.tar!/"): entry.identity for entry in entries if entry.ignored is None}


@pytest.mark.parametrize("pack", [False, True])
def test_keys_have_dots_and_suffixes_any_case(pack: bool, tmp_path: Path) -> None:
    files = {
        "J.Lo_1.jpg": b"1",
        "J.Lo_1.cls": b"Jen",
        "J.Depp_1.JPEG": b"2",
        "J.Depp_1.CLS": b" 17\n",
        "a/.b.png": b"3",
    }
    assert _images(_entries(tmp_path, files, pack=pack)) == {
        "J.Lo_1.jpg": "Jen",
        "J.Depp_1.JPEG": "17",
        "a/.b.png": None,
    }


def test_the_label_is_cls_else_the_field_of_json_else_txt(tmp_path: Path) -> None:
    ann = json.dumps({"identity": "Ann", "caption": "no"}).encode()
    files = {
        **{"1.jpg": b"1", "1.cls": b"3", "1.json": ann, "1.txt": b"no"},
        **{"2.jpg": b"2", "2.json": ann},
        **{"3.jpg": b"3", "3.txt": "Zoé".encode()},
        **{"4.jpg": b"4", "4.json": b'{"identity": 7.0}'},
        **{"5.jpg": b"5", "5.json": b'{"caption": "a man"}', "5.txt": b"a man"},
    }
    assert list(_images(_entries(tmp_path, files)).values()) == ["3", "Ann", "Zoé", "7", None]


@pytest.mark.parametrize("label", [b"", b"\xff\xfe", b"two\nlines", b"x" * 300])
def test_a_label_without_a_name_is_nobody_and_counted(label: bytes, tmp_path: Path) -> None:
    entries = _entries(tmp_path, {"1.jpg": b"1", "1.cls": label})
    assert entries == [
        Entry("0.tar!/1.jpg", 1, 5),
        Entry("0.tar!/1.jpg", None, None, "label without a name", Sort.NO_IMAGE),
    ]


@pytest.mark.parametrize("label", [b"[1]", b"{", b'{"identity": {"a": 1}}', b"[" * 100_000])
def test_a_json_that_names_nobody_is_as_well(label: bytes, tmp_path: Path) -> None:
    assert _images(_entries(tmp_path, {"1.jpg": b"1", "1.json": label})) == {"1.jpg": None}


def test_a_sample_without_a_picture_or_with_two_is_a_reject_with_its_reason(tmp_path: Path) -> None:
    files = [("1.jpg", b"1"), ("1.png", b"2"), ("1.cls", b"0"), ("2.cls", b"0"), ("3.jpg", b"3"), ("3.jpg", b"4")]
    entries = _entries(tmp_path, files)
    assert [(entry.uri, entry.size) for entry in entries] == [
        ("0.tar!/1.*#2", 0),
        ("0.tar!/2.*", 0),
        ("0.tar!/3.*#2", 0),
    ]
    fetch = SampleFetch(placed(tmp_path, "0.tar", tar(files))[0])
    for uri, problem in (("0.tar!/1.*#2", PICTURES.format(2)), ("0.tar!/2.*", NO_PICTURE)):
        with pytest.raises(BadContent, match=problem):
            fetch(uri)
    assert fetch("0.tar!/1.png") == b"2"


def test_what_belongs_to_no_sample_is_counted_by_kind(tmp_path: Path) -> None:
    files = {"1.jpg": b"1", "1.pose.npy": b"x", "1.heic": b"x", "nodot": b"x", "._1.jpg": b"x"}
    entries = _entries(tmp_path, files)
    assert _images(entries) == {"1.jpg": None}
    assert [entry.ignored for entry in entries if entry.ignored] == [".npy", ".heic", "no suffix", "._*"]


def test_a_picture_without_a_suffix_is_told_by_its_content(tmp_path: Path) -> None:
    assert _images(_entries(tmp_path, {"0001": b"\xff\xd8\xff\xe0", "0001.cls": b"4"})) == {"0001": "4"}


def test_a_shard_cut_in_the_middle_gives_what_is_whole(tmp_path: Path) -> None:
    content = tar({"1.jpg": b"1", "1.cls": b"4", "2.jpg": b"2" * 600})
    storage, file = placed(tmp_path, "0.tar", content[:2600])
    assert list(samples(storage, file, RULES, "identity")) == [
        Entry("0.tar!/1.jpg", 1, 5, identity="4"),
        Entry("0.tar!/2.jpg", 0, 5),
        Entry("0.tar", 0, 5),
    ]

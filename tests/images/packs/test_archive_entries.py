from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from packed import RULES, gzipped, link, placed, tar, zipped

from facesieve.images.packs.archive_entries import archive_entries
from facesieve.images.packs.members import Member
from facesieve.images.packs.tar_archive import TarArchive
from facesieve.images.protocol import Sort
from facesieve.images.walk import Entry

JPEG = b"\xff\xd8\xff\xe0 and so on"
FILES = {
    "Ann/1.jpg": JPEG,
    "Ann/bare": JPEG,
    "Ann/notes.txt": b"x",
    "__MACOSX/Ann/._1.jpg": b"x",
    "deep.zip": b"PK",
    "../up.jpg": JPEG,
}


def _entries(root: Path, name: str, content: bytes) -> list[Entry]:
    storage, file = placed(root, name, content)
    return list(archive_entries(storage, file, RULES))


@pytest.mark.parametrize(
    ("name", "content"), [("a.zip", zipped(FILES)), ("a.tar", tar(FILES)), ("a.tgz", gzipped(tar(FILES)))]
)
def test_members_are_images_rejects_or_counted_by_the_rules_of_files(name: str, content: bytes, tmp_path: Path) -> None:
    assert _entries(tmp_path, name, content) == [
        Entry(f"{name}!/Ann/1.jpg", len(JPEG), 5),
        Entry(f"{name}!/Ann/bare", len(JPEG), 5),
        Entry(f"{name}!/Ann/notes.txt", None, None, ".txt", Sort.NO_IMAGE),
        Entry(f"{name}!/__MACOSX/Ann/._1.jpg", None, None, "__MACOSX", Sort.LITTER),
        Entry(f"{name}!/deep.zip", None, None, ".zip", Sort.MAYBE),
        Entry(f"{name}!/../up.jpg", 0, 5),
    ]


def test_a_name_that_comes_again_is_a_reject_of_its_own(tmp_path: Path) -> None:
    entries = _entries(tmp_path, "a.tar", tar([("1.jpg", b"1"), ("2.jpg", b"2"), ("1.jpg", b"3"), ("1.jpg", b"4")]))
    assert [(entry.uri, entry.size) for entry in entries] == [
        ("a.tar!/1.jpg", 1),
        ("a.tar!/2.jpg", 1),
        ("a.tar!/1.jpg#2", 0),
        ("a.tar!/1.jpg#3", 0),
    ]


def test_an_archive_that_lost_a_part_is_a_reject_beside_what_is_whole(tmp_path: Path) -> None:
    cut = tar({"1.jpg": b"1", "2.jpg": b"2" * 600})[:1600]
    assert _entries(tmp_path, "a.tar", cut) == [
        Entry("a.tar!/1.jpg", 1, 5),
        Entry("a.tar!/2.jpg", 0, 5),
        Entry("a.tar", 0, 5),
    ]
    assert _entries(tmp_path, "b.zip", b"PK\x03\x04 and no more") == [Entry("b.zip", 0, 5)]


def test_a_link_to_a_text_is_no_reject_and_a_link_to_a_picture_is(tmp_path: Path) -> None:
    entries = _entries(tmp_path, "a.tar", tar({}, [link("a.txt", "b"), link("1.jpg", "2.jpg")]))
    assert [(entry.uri, entry.size, entry.ignored) for entry in entries] == [
        ("a.tar!/a.txt", None, ".txt"),
        ("a.tar!/1.jpg", 0, None),
    ]


def test_a_disk_that_fails_in_the_middle_is_counted_after_what_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage, file = placed(tmp_path, "a.tar", tar({"1.jpg": b"1", "2.jpg": b"2"}))
    members = TarArchive.members

    def failing(archive: TarArchive) -> Iterator[Member]:
        yield next(iter(members(archive)))
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(TarArchive, "members", failing)
    assert list(archive_entries(storage, file, RULES)) == [
        Entry("a.tar!/1.jpg", 1, 5),
        Entry("a.tar", None, None, "unreadable file", Sort.UNREADABLE),
    ]


def test_an_archive_that_cannot_be_opened_is_counted(tmp_path: Path) -> None:
    storage, file = placed(tmp_path, "a.tar", b"")
    (tmp_path / "a.tar").unlink()
    assert list(archive_entries(storage, file, RULES)) == [
        Entry("a.tar", None, None, "unreadable file", Sort.UNREADABLE)
    ]

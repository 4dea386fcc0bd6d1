from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from odd_tree import IMAGES, ODD

from facesieve.core.sections import Images
from facesieve.images import walk as walking
from facesieve.images.parts import parts
from facesieve.images.protocol import Sort
from facesieve.images.rules import Rules
from facesieve.images.storage import Storage
from facesieve.images.walk import WHOLE, Part, folders, walk

RULES = Rules.of(Images(root="any"))
JPEG = b"\xff\xd8\xff\xe0"


@contextmanager
def _as_nobody(root: Path) -> Iterator[None]:
    """Be a user whom permissions bind, if the tests run as the one whom they do not."""
    if os.geteuid() != 0:
        yield
        return
    for folder in [each for each in (root, *root.parents) if each.owner() == "root" and "pytest" in str(each)]:
        folder.chmod(0o755)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def _uris(storage: Storage) -> set[str]:
    return {entry.uri for entry in walk(storage, WHOLE, RULES) if not entry.ignored}


def _left_out(storage: Storage) -> list[tuple[str, str | None, Sort | None]]:
    return sorted((entry.uri, entry.ignored, entry.sort) for entry in walk(storage, WHOLE, RULES) if entry.ignored)


def test_an_unreadable_folder_is_said_once_whoever_walks_it(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def items(storage: Storage, folder: str, *rest: Any) -> object:
        if folder in ("a", "a/deep"):
            raise PermissionError(folder)
        return listed(storage, folder, *rest)

    listed = walking._items
    monkeypatch.setattr(walking, "_items", items)
    storage = Storage(str(tree))
    for cut in (parts(storage, 4), [Part("a", True, share, 3) for share in range(3)]):
        entries = [entry for part in cut for entry in walk(storage, part, RULES)]
        unread = [entry for entry in entries if entry.ignored == "unreadable folder"]
        assert [(entry.uri, entry.sort) for entry in unread] == [("a", Sort.UNREADABLE)]


def test_reasons_for_leaving_out(tree: Path) -> None:
    assert _uris(Storage(str(tree))) == IMAGES
    assert [(kind, sort) for _, kind, sort in _left_out(Storage(str(tree)))] == [
        ("no suffix", Sort.NO_IMAGE),
        (".txt", Sort.NO_IMAGE),
        ("link out of the root", Sort.MAYBE),
        ("not a regular file", Sort.NO_IMAGE),
        ("link to a folder", Sort.MAYBE),
    ]
    assert sorted(folders(Storage(str(tree)))) == ["a", "b 50%#"]


def test_names_that_are_no_utf8_are_walked_whatever_they_are(tmp_path: Path) -> None:
    root = os.fsencode(tmp_path)
    os.makedirs(os.path.join(root, b"Jos\xe9", b"\xff"))
    names = [b"Jos\xe9/1.jpg", b"Jos\xe9/\xff/2\xfe.jpg", rb"\xe9.jpg"]
    for name in names:
        with open(os.path.join(root, name), "wb") as file:
            file.write(name)
    storage = Storage(str(tmp_path))
    assert _uris(storage) == {r"Jos\xe9/1.jpg", r"Jos\xe9/\xff/2\xfe.jpg", r"\x5cxe9.jpg"}
    cut = parts(storage, 50)
    assert {part.folder for part in cut} == {"", r"Jos\xe9", r"Jos\xe9/\xff"}
    assert sum(len(list(walk(storage, part, RULES))) for part in cut) == 3


@pytest.mark.parametrize("remote", [False, True])
def test_litter_and_content_count_alike_near_and_far(tmp_path: Path, remote: bool) -> None:
    storage = Storage("mock:///litter" if remote else str(tmp_path))
    for name in (
        *("ann/1.jpg", "ann/@eaDir/1.jpg/THUMB.jpg", "@EADIR/x", "._2.jpg", "__MACOSX/ann/._1.jpg", "ann/3.txt"),
        *("ann/photo", "ann/photo.jpg?w=640", "ann/notes", "ann/x.heic", "all.rar"),
    ):
        storage.write(name, JPEG if "photo" in name else b"other")
    assert _uris(storage) == {"ann/1.jpg", "ann/photo", "ann/photo.jpg?w=640"}
    assert _left_out(storage) == [
        ("._2.jpg", "._*", Sort.LITTER),
        ("@EADIR/x", "@eaDir", Sort.LITTER),
        ("__MACOSX/ann/._1.jpg", "__MACOSX", Sort.LITTER),
        ("all.rar", ".rar", Sort.MAYBE),
        ("ann/3.txt", ".txt", Sort.NO_IMAGE),
        ("ann/@eaDir/1.jpg/THUMB.jpg", "@eaDir", Sort.LITTER),
        ("ann/notes", "no suffix", Sort.NO_IMAGE),
        ("ann/x.heic", ".heic", Sort.MAYBE),
    ]
    whole = sorted(walk(storage, WHOLE, RULES), key=str)
    assert sorted((entry for part in parts(storage, 9) for entry in walk(storage, part, RULES)), key=str) == whole


def test_a_remote_tree_is_walked_alike() -> None:
    storage = Storage("mock:///walk")
    for name in ("flat.jpg", "a/1.JPG", "a/deep/2.jpg", ODD, "a/notes.txt", r"a\xff/3.jpg"):
        storage.write(name, name.encode())
    entries = {entry.uri: entry for entry in walk(storage, WHOLE, RULES) if not entry.ignored}
    assert set(entries) == {"flat.jpg", "a/1.JPG", "a/deep/2.jpg", ODD, r"a\x5cxff/3.jpg"}
    assert entries["a/1.JPG"].size == 7
    assert sorted(folders(storage)) == ["a", r"a\x5cxff", "b 50%#"]


def test_a_dangling_link_is_an_image_and_an_unreadable_folder_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shut").mkdir()
    (tmp_path / "gone.jpg").symlink_to("nothing")
    (tmp_path / "gone").symlink_to("nothing")
    scan = os.scandir

    def guarded(path: bytes) -> object:
        if os.path.basename(path) == b"shut":
            raise PermissionError(path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", guarded)
    entries = list(walk(Storage(str(tmp_path)), WHOLE, RULES))
    assert sorted((entry.uri, entry.size, entry.ignored) for entry in entries) == [
        ("gone", None, "link to nothing"),
        ("gone.jpg", None, None),
        ("shut", None, "unreadable folder"),
    ]


def test_the_system_itself_shuts_a_folder_and_a_file(tmp_path: Path) -> None:
    (tmp_path / "shut").mkdir()
    (tmp_path / "shut" / "1.jpg").touch()
    (tmp_path / "file").touch()
    for path in (tmp_path / "shut", tmp_path / "file"):
        path.chmod(0)
    with _as_nobody(tmp_path):
        assert _left_out(Storage(str(tmp_path))) == [
            ("file", "unreadable file", Sort.UNREADABLE),
            ("shut", "unreadable folder", Sort.UNREADABLE),
        ]


@pytest.mark.parametrize("remote", [False, True])
def test_an_archive_is_to_be_opened_unless_it_lies_beside_a_folder_of_its_name(tmp_path: Path, remote: bool) -> None:
    storage = Storage("mock:///archives" if remote else str(tmp_path))
    for name in ("lfw.zip", "Ann.tar.gz", "Ann/1.jpg", "Bea.TGZ", "notes.gz"):
        storage.write(name, b"x")
    entries = {entry.uri: (entry.ignored, entry.size) for entry in walk(storage, WHOLE, RULES) if entry.ignored}
    assert entries == {
        "lfw.zip": ("archive", 1),
        "Bea.TGZ": ("archive", 1),
        "Ann.tar.gz": ("archive beside a folder of its name", None),
        "notes.gz": (".gz", None),
    }

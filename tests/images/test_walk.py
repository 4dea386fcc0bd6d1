from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from odd_tree import IMAGES, ODD

from facesieve.images import walk as walking
from facesieve.images.storage import Storage
from facesieve.images.walk import WHOLE, Part, folders, parts, walk


@pytest.mark.parametrize("most", [1, 2, 10_000])
@pytest.mark.parametrize("wanted", [1, 2, 3, 8, 50])
def test_parts_hold_every_file_once(tree: Path, monkeypatch: pytest.MonkeyPatch, wanted: int, most: int) -> None:
    monkeypatch.setattr(walking, "MOST_FOLDERS", most)
    for number in range(7):
        (tree / "wide" / f"d{number}" / "x").mkdir(parents=True)
        for name in (f"wide/{number}.jpg", f"wide/d{number}/1.jpg", f"wide/d{number}/x/2.jpg"):
            (tree / name).write_bytes(b"")
    suffixes = frozenset({".jpg", ".jpeg", ".png"})
    storage = Storage(str(tree))
    cut = parts(storage, wanted)
    entries = [entry for part in cut for entry in walk(storage, part, suffixes)]
    assert sorted(entries, key=str) == sorted(walk(storage, WHOLE, suffixes), key=str)
    assert len(cut) >= min(wanted, 12)
    assert max(part.shares for part in cut) == (1 if most == 10_000 or wanted == 1 else wanted)


def test_an_unreadable_folder_is_said_once_whoever_walks_it(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def scan(storage: Storage, folder: str, *rest: Any) -> object:
        if folder in ("a", "a/deep"):
            raise PermissionError(folder)
        return scanned(storage, folder, *rest)

    scanned = walking._scan
    monkeypatch.setattr(walking, "_scan", scan)
    storage = Storage(str(tree))
    for cut in (parts(storage, 4), [Part("a", True, share, 3) for share in range(3)]):
        entries = [entry for part in cut for entry in walk(storage, part, frozenset({".jpg"}))]
        assert [entry.ignored for entry in entries].count("unreadable folder") == 1


def test_reasons_for_ignoring(tree: Path) -> None:
    entries = list(walk(Storage(str(tree)), WHOLE, frozenset({".jpg", ".jpeg", ".png"})))
    assert {entry.name for entry in entries if not entry.ignored} == IMAGES
    assert sorted(entry.ignored for entry in entries if entry.ignored) == [
        ".txt",
        "link out of the root",
        "link to a folder",
        "name is not UTF-8",
        "no suffix",
        "not a regular file",
    ]
    assert sorted(folders(Storage(str(tree)))) == ["a", "b 50%#"]


def test_a_remote_tree_is_walked_alike() -> None:
    storage = Storage("mock:///walk")
    for name in ("flat.jpg", "a/1.JPG", "a/deep/2.jpg", ODD, "a/notes.txt"):
        storage.write(name, name.encode())
    entries = {entry.name: entry for entry in walk(storage, WHOLE, frozenset({".jpg", ".png"})) if not entry.ignored}
    assert set(entries) == {"flat.jpg", "a/1.JPG", "a/deep/2.jpg", ODD}
    assert entries["a/1.JPG"].size == 7
    assert sorted(folders(storage)) == ["a", "b 50%#"]


def test_a_dangling_link_is_an_image_and_an_unreadable_folder_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shut").mkdir()
    (tmp_path / "gone.jpg").symlink_to("nothing")
    scan = os.scandir

    def guarded(path: Path) -> object:
        if Path(path).name == "shut":
            raise PermissionError(path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", guarded)
    entries = list(walk(Storage(str(tmp_path)), WHOLE, frozenset({".jpg"})))
    assert sorted((entry.name, entry.size, entry.ignored) for entry in entries if entry.name) == [
        ("gone.jpg", None, None)
    ]
    assert [entry.ignored for entry in entries if not entry.name] == ["unreadable folder"]

from __future__ import annotations

from pathlib import Path

import pytest

from facesieve.images import parts as cutting
from facesieve.images.parts import parts
from facesieve.images.rules import Rules
from facesieve.images.storage import Storage
from facesieve.images.walk import WHOLE, place, walk

RULES = Rules(frozenset({".jpg", ".jpeg", ".png"}), ("deep",))


@pytest.mark.parametrize("most", [1, 2, 10_000])
@pytest.mark.parametrize("wanted", [1, 2, 3, 8, 50])
def test_parts_hold_every_file_once(tree: Path, monkeypatch: pytest.MonkeyPatch, wanted: int, most: int) -> None:
    monkeypatch.setattr(cutting, "MOST_FOLDERS", most)
    for number in range(7):
        (tree / "wide" / f"d{number}" / "x").mkdir(parents=True)
        for name in (f"wide/{number}.jpg", f"wide/d{number}/1.jpg", f"wide/d{number}/x/2.jpg"):
            (tree / name).write_bytes(b"")
    storage = Storage(str(tree))
    cut = parts(storage, wanted)
    entries = [entry for part in cut for entry in walk(storage, part, RULES)]
    assert sorted(entries, key=str) == sorted(walk(storage, WHOLE, RULES), key=str)
    assert len(cut) >= min(wanted, 12)
    assert max(part.shares for part in cut) == (1 if most == 10_000 or wanted == 1 else wanted)


@pytest.mark.parametrize("wanted", [1, 3, 50])
def test_parts_begin_where_they_are_told_and_leave_out_what_is_cut(tmp_path: Path, wanted: int) -> None:
    for name in ("a/1.jpg", "a/cut/2.jpg", "b/3.jpg", "b/c/4.jpg", "d/5.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    storage, cut = Storage(str(tmp_path)), frozenset({place(str(tmp_path / "a/cut")), place(str(tmp_path / "b"))})
    cuts = parts(storage, wanted, ["a", "b"], cut)
    uris = [entry.uri for part in cuts for entry in walk(storage, part, RULES, cut)]
    assert sorted(uris) == ["a/1.jpg", "b/3.jpg", "b/c/4.jpg"]

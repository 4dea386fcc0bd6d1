from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from facesieve.images import links as linking
from facesieve.images.links import walk_all
from facesieve.images.rules import Rules
from facesieve.images.storage import Storage

RULES = Rules(frozenset({".jpg"}), (".store",), follow_links=True)


def _uris(root: Path, rules: Rules = RULES) -> list[str]:
    return sorted(entry.uri for entry in walk_all(Storage(str(root)), rules) if entry.ignored is None)


def _ignored(root: Path) -> Counter[str | None]:
    return Counter(entry.ignored for entry in walk_all(Storage(str(root)), RULES) if entry.ignored)


def _file(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def test_links_are_followed_under_their_own_name_only_if_wanted(tmp_path: Path) -> None:
    _file(tmp_path / "store/ann/1.jpg")
    _file(tmp_path / "store/2.jpg")
    (tmp_path / "root/bob").mkdir(parents=True)
    (tmp_path / "root/Ann").symlink_to(tmp_path / "store/ann")
    (tmp_path / "root/bob/b.jpg").symlink_to("../../store/2.jpg")
    assert _uris(tmp_path / "root") == ["Ann/1.jpg", "bob/b.jpg"]
    assert _uris(tmp_path / "root", Rules(RULES.suffixes, RULES.ignore)) == []


def test_loops_end_and_a_folder_is_listed_once(tmp_path: Path) -> None:
    root = tmp_path / "root"
    _file(root / "a/1.jpg")
    _file(tmp_path / "x/y/2.jpg")
    _file(tmp_path / "x/3.jpg")
    for name, target in {
        "a/self": ".",
        "a/up": "..",
        "b": "a",
        "c": "../x/y",
        "d": "../x",
        "e": "d/y",
        "f": "c",
    }.items():
        (root / name).symlink_to(target)
    (tmp_path / "x/y/back").symlink_to(root)
    assert _uris(root) == ["a/1.jpg", "c/2.jpg", "d/3.jpg"]
    assert _ignored(root) == {"link to a folder that is listed already": 6}


def test_a_link_to_a_folder_above_the_root_lists_the_rest_of_it_once(tmp_path: Path) -> None:
    _file(tmp_path / "set/root/1.jpg")
    _file(tmp_path / "set/other/2.jpg")
    (tmp_path / "set/root/all").symlink_to("..")
    assert _uris(tmp_path / "set/root") == ["1.jpg", "all/other/2.jpg"]


def test_a_link_into_litter_is_followed(tmp_path: Path) -> None:
    _file(tmp_path / ".store/ann/1.jpg")
    (tmp_path / "Ann").symlink_to(".store/ann")
    assert _uris(tmp_path) == ["Ann/1.jpg"]
    assert _ignored(tmp_path) == {".store": 1}


def test_no_more_links_are_followed_than_are_bounded_and_the_rest_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        _file(tmp_path / f"store/{number}/1.jpg")
        (tmp_path / "root").mkdir(exist_ok=True)
        (tmp_path / f"root/{number}").symlink_to(tmp_path / f"store/{number}")
    monkeypatch.setattr(linking, "MOST_LINKS", 3)
    assert len(_uris(tmp_path / "root")) == 3
    assert _ignored(tmp_path / "root") == {"link to a folder": 2}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=12))
def test_every_file_that_can_be_reached_is_listed_once(
    tmp_path_factory: pytest.TempPathFactory, links: list[tuple[int, int]]
) -> None:
    place = tmp_path_factory.mktemp("tree")
    folders = [place / name for name in ("r", "r/a", "r/a/b", "r/c", "x", "x/y", "x/y/z", "w")]
    for folder in folders:
        _file(folder / "1.jpg")
    for number, (at, target) in enumerate(links):
        (folders[at] / f"l{number}").symlink_to(folders[target])
    uris = _uris(place / "r")
    real = [os.path.realpath(place / "r" / uri) for uri in uris]
    assert len(set(real)) == len(real)
    assert set(real) == _reachable(place / "r")


def _reachable(root: Path) -> set[str]:
    """Real paths of all files that some way leads to, by a search of its own."""
    seen, pending = set[str](), [os.path.realpath(root)]
    files = set[str]()
    while pending:
        folder = pending.pop()
        if folder in seen:
            continue
        seen.add(folder)
        for name in os.listdir(folder):
            path = os.path.realpath(os.path.join(folder, name))
            if os.path.isdir(path):
                pending.append(path)
            else:
                files.add(path)
    return files

"""What a place means: paths, URIs of this machine and of others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from facesieve.core.places import absolute, is_below, is_uri, local_path


@pytest.mark.parametrize(
    ("place", "path"),
    [
        ("/a/b", "/a/b"),
        ("a:b", "a:b"),
        ("file:/a/b", "/a/b"),
        ("file:///a%20b", "/a b"),
        ("/a%20b", "/a%20b"),
        ("s3a://bucket/a", None),
        ("hdfs://host/a", None),
    ],
)
def test_paths_of_this_machine(place: str, path: str | None) -> None:
    assert local_path(place) == path
    assert is_uri(place) == (place.startswith("file:") or path is None)


def test_only_paths_are_made_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert absolute("a/../b") == os.path.join(os.getcwd(), "b")
    for place in ("file:/a/../b", "s3a://bucket/a", "/a"):
        assert absolute(place) == place


def test_below_is_the_same_or_inside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a b").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "a b")
    for inside in ("a b", "a b/c", "link/", f"file:{tmp_path}/a%20b/c"):
        assert is_below(inside, str(tmp_path / "a b"))
    for outside in ("a bc", ".", "/", "s3a://a b"):
        assert not is_below(outside, "a b")
    assert is_below("s3a://bucket/a/b", "s3a://bucket/a/")
    assert not is_below("s3a://bucket/ab", "s3a://bucket/a")

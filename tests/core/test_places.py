"""What a place means: paths, URIs of this machine and of others."""

from __future__ import annotations

import os
from argparse import ArgumentTypeError
from pathlib import Path

import pytest

from facesieve.core.places import absolute, argument, expanded, is_below, is_uri, local_path, not_utf8


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


@pytest.mark.parametrize(
    ("place", "meant"),
    [
        ("~/lake", "/users/ann/lake"),
        ("~", "/users/ann"),
        ("$DISK/lake", "/disk/lake"),
        ("${DISK}s/lake", "/disks/lake"),
        ("s3a://$DISK/x", "s3a:///disk/x"),
        ("/a/~b/$$DISK", "/a/~b/$DISK"),
        ("./~", "./~"),
        ("/a/$", "/a/$"),
        ("~a b", "~a b"),
        ("", ""),
    ],
)
def test_home_and_variables_are_expanded(monkeypatch: pytest.MonkeyPatch, place: str, meant: str) -> None:
    monkeypatch.setenv("HOME", "/users/ann")
    monkeypatch.setenv("DISK", "/disk")
    assert expanded(place) == argument(place) == meant


@pytest.mark.parametrize(
    ("place", "problem"),
    [("$ABSENT/x", "environment variable ABSENT is not set"), ("~nobody_of_this_name/x", "there is no home folder")],
)
def test_what_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch, place: str, problem: str) -> None:
    monkeypatch.delenv("ABSENT", raising=False)
    with pytest.raises(ValueError, match=problem):
        expanded(place)
    with pytest.raises(ArgumentTypeError, match=problem):
        argument(place)


def test_a_name_that_is_no_utf8_can_be_shown(tmp_path: Path) -> None:
    assert not_utf8(os.fsdecode(b"/a/caf\xe9")) == "/a/caf\\xe9"
    assert not_utf8(str(tmp_path)) is None

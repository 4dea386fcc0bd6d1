from __future__ import annotations

import os
import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyarrow.fs import FileType

from facesieve.images.storage import Storage, why_unreadable, why_unwritable

ODD = "50% off#1/line\nbreak é😀 +.jpg"


@pytest.fixture(params=["plain", "file", "mock"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    """The same place named three ways; `mock` is pyarrow's in-memory file system, in the stead of a remote one."""
    roots = {
        "plain": str(tmp_path / "a b#%20"),
        "file": f"file://{tmp_path}/a%20b",
        "mock": f"mock:///{tmp_path.name}",
    }
    return Storage(roots[request.param])


def test_what_is_written_is_read_back_by_a_pickled_copy(storage: Storage) -> None:
    storage.write(ODD, b"one")
    storage.write(ODD, b"two")
    again = pickle.loads(pickle.dumps(storage))
    assert again.read(ODD) == b"two"
    assert [info.base_name for info in storage.entries("50% off#1")] == [ODD.split("/")[1]]
    assert [info.type for info in storage.entries()] == [FileType.Directory]


def test_trees_and_files_are_deleted(storage: Storage) -> None:
    for name in ("a/1", "a/b/2", "c"):
        storage.write(name, b"")
    storage.delete_tree("a")
    assert not storage.exists("a")
    assert storage.exists("c")
    storage.delete_tree("c")
    storage.delete_tree("c")
    assert not storage.exists("c")
    storage.delete_tree()
    assert not storage.exists()


@pytest.mark.parametrize("name", ["../a", "a/../../b", "/etc/passwd", "a//b", "./a", "a/", "a\0b", "\udc80"])
def test_a_name_that_leaves_the_root_or_is_none_is_refused(storage: Storage, name: str) -> None:
    for use in (storage.read, storage.exists, storage.child, storage.delete_tree):
        with pytest.raises(OSError):
            use(name)
    with pytest.raises(OSError):
        storage.write(name, b"")


def test_a_file_whose_name_is_no_utf8_is_read_on_this_machine_alone(tmp_path: Path) -> None:
    name = b"a/\xff.jpg"
    (tmp_path / "a").mkdir()
    with open(os.path.join(os.fsencode(tmp_path), name), "wb") as file:
        file.write(b"content")
    assert Storage(str(tmp_path)).content(name) == b"content"
    assert Storage(tmp_path.as_uri()).content(name, 3) == b"con"
    remote = Storage("mock:///bytes")
    remote.write("a/b", b"content")
    assert (remote.content(b"a/b"), remote.content(b"a/b", 3)) == (b"content", b"con")
    for refused in (name, b"../a", b"a//b", b"a\0b"):
        with pytest.raises(OSError):
            remote.content(refused)
    with pytest.raises(OSError):
        Storage(str(tmp_path)).content(b"../" + os.fsencode(tmp_path.name) + b"/" + name)
    with pytest.raises(OSError):
        remote.local(b"a")


def test_missing_files_are_os_errors(storage: Storage) -> None:
    storage.write("folder/a", b"")
    for name in ("b", "folder", "folder/a/b"):
        with pytest.raises(OSError):
            storage.read(name)


@pytest.mark.parametrize(
    ("root", "child"),
    [
        ("/a b", "/a b/x %/y"),
        ("file:///a%20b/", "file:///a%20b/x%20%25/y"),
        ("s3://bucket/p?region=eu-west-1", "s3://bucket/p/x%20%25/y?region=eu-west-1"),
    ],
)
def test_child_speaks_the_roots_language(root: str, child: str) -> None:
    assert Storage(root).child("x %/y").root == child


def test_child_is_the_same_place(tmp_path: Path) -> None:
    for root in (str(tmp_path), tmp_path.as_uri()):
        Storage(root).child("x %/y").write("z", b"deep")
        assert Storage(root).read("x %/y/z") == b"deep"


def test_a_write_that_fails_leaves_neither_a_part_nor_litter(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    storage.write("taken/inside", b"")
    with pytest.raises(OSError):
        storage.write("taken", b"content")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["inside", "taken"]


def test_a_file_is_written_in_pieces(storage: Storage) -> None:
    storage.write_pieces("a/b", lambda: (b"one ", b"two", b""))
    assert storage.read("a/b") == b"one two"


def test_pieces_that_cannot_be_made_leave_nothing(tmp_path: Path) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"one"
        raise ValueError

    with pytest.raises(ValueError):
        Storage(str(tmp_path)).write_pieces("a", pieces)
    assert list(tmp_path.iterdir()) == []


def test_s3a_is_the_same_as_s3() -> None:
    query = "?region=eu-west-1&endpoint_override=localhost:1"
    assert Storage(f"s3a://bucket/a%20b{query}").at("c")[1] == "bucket/a b/c"
    assert Storage(f"s3a://bucket/a%20b{query}").at()[0] == Storage(f"s3://bucket/a%20b{query}").at()[0]


def test_faults_are_sentences(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"")
    assert why_unreadable(str(tmp_path)) is None
    assert why_unreadable(str(file)) == f"{file} is not a folder"
    assert why_unreadable(str(tmp_path / "no")) == f"{tmp_path / 'no'} does not exist"
    assert "cannot be read (Unrecognized filesystem type" in (why_unreadable("bogus://x") or "")
    assert why_unwritable(str(tmp_path / "new" / "deep")) is None
    assert why_unwritable(str(file / "x")) == f"{file / 'x'} cannot be written (Not a directory)"
    assert list((tmp_path / "new" / "deep").iterdir()) == []

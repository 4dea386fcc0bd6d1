"""Models of other places; pyarrow's file system in memory stands for a remote one (tests/store has a server)."""

from __future__ import annotations

import uuid

import pytest

from facesieve.core.errors import ModelError
from facesieve.images.storage import Storage
from facesieve.models import remote_files
from facesieve.models.files import digest
from facesieve.models.remote_files import read_remote


@pytest.fixture
def place() -> str:
    return f"mock:///{uuid.uuid4().hex}/a%20model"


def put(place: str, content: bytes) -> None:
    def write(files: object, path: str) -> None:
        files.create_dir(path.rpartition("/")[0], recursive=True)  # type: ignore[attr-defined]
        with files.open_output_stream(path) as stream:  # type: ignore[attr-defined]
            stream.write(content)

    Storage(place).ask("", write)


def test_a_file_is_read_with_its_name(place: str) -> None:
    put(place, b"weights")
    files = read_remote(place)
    assert (files.single, files.root.name, files.directory) == (b"weights", "a model", False)


def test_a_directory_is_read_whole_and_has_the_digest_of_a_local_one(place: str) -> None:
    storage = Storage(place)
    storage.write("saved_model.pb", b"graph")
    storage.write("variables/variables.index", b"")
    files = read_remote(place)
    assert dict(files.contents) == {"saved_model.pb": b"graph", "variables/variables.index": b""}
    assert len(digest(files)) == 64


@pytest.mark.parametrize(
    ("name", "problem"), [(".hidden", "a hidden file"), ("a/b\\c", "backslashes"), ("a\n", "control characters")]
)
def test_names_are_refused_as_on_this_machine(place: str, name: str, problem: str) -> None:
    Storage(place).write(name, b"")
    with pytest.raises(ModelError, match=problem):
        read_remote(place)


def test_what_is_not_there_or_too_large_is_a_sentence(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelError, match=r"mock:///.* cannot be fetched \(it does not exist\)"):
        read_remote(place)
    with pytest.raises(ModelError, match="cannot be fetched"):
        read_remote("nothing://a/b")
    Storage(place).write("a", b"12345")
    Storage(place).write("b", b"12345")
    monkeypatch.setattr(remote_files, "MOST_BYTES", 9)
    with pytest.raises(ModelError, match="larger than"):
        read_remote(place)
    Storage(place).ask("", lambda files, path: files.delete_dir_contents(path))
    with pytest.raises(ModelError, match="empty directory"):
        read_remote(place)

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from facesieve.images.lake_tables.files_below import FilesBelow


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "in/a b").mkdir(parents=True)
    (tmp_path / "in/a b/1%20.jpg").write_bytes(b"one")
    (tmp_path / "out.jpg").write_bytes(b"secret")
    (tmp_path / "in/link.jpg").symlink_to(tmp_path / "out.jpg")
    (tmp_path / "in/same.jpg").symlink_to(tmp_path / "in/a b/1%20.jpg")
    return tmp_path / "in"


def test_a_file_is_found_however_its_uri_is_spelled(root: Path) -> None:
    fetch = pickle.loads(pickle.dumps(FilesBelow(str(root))))
    for uri in ("a b/1%20.jpg", "./a b/1%20.jpg", f"{root}/a b/1%20.jpg", f"file://{root}/a b/1%2520.jpg", "same.jpg"):
        assert fetch(uri) == b"one", uri


def test_nothing_elsewhere_is_read(root: Path) -> None:
    fetch = FilesBelow(str(root))
    for uri in ("../out.jpg", f"{root}/../out.jpg", f"{root.parent}/out.jpg", "/etc/passwd", "file:///etc/passwd"):
        with pytest.raises(PermissionError, match="outside"):
            fetch(uri)
    for uri in ("s3://other/1.jpg", "http://127.0.0.1/1.jpg", "a b/../../out.jpg", "", "."):
        with pytest.raises(OSError):
            fetch(uri)
    with pytest.raises(PermissionError, match="a link leads out"):
        fetch("link.jpg")


def test_what_is_not_there_is_an_error(root: Path) -> None:
    with pytest.raises(FileNotFoundError):
        FilesBelow(str(root))("a b/2.jpg")
    with pytest.raises(FileNotFoundError):
        FilesBelow("")("a b/1%20.jpg")

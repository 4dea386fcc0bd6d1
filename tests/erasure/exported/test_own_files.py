"""What is our own is told by its place, a store's fault is not the file's, and odd names crash nothing."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from facesieve.erasure.exported.own_files import Watched, as_its_form, content_of, is_own, names_in, opened
from facesieve.images.storage import Storage


@pytest.mark.parametrize(
    ("form", "own", "foreign"),
    [
        ("parquet", ["bucket=0/part-00000.parquet", "bucket=31/part-123456.parquet"], ["part-00000.parquet", "a.txt"]),
        ("clean_list", ["clean_list.txt", "train.txt", "validation.txt", "test.txt"], ["notes.txt", "a/train.txt"]),
        ("huggingface", ["data/test-00001-of-00002.parquet"], ["data/notes.txt", "data/a.parquet", "data/._train"]),
    ],
)
def test_files_are_our_own_by_their_place(form: str, own: list[str], foreign: list[str]) -> None:
    assert [path for path in (*own, *foreign) if is_own(form, path)] == own


@pytest.mark.parametrize(
    "path", ["", ".", "..", "../x", "a//b", "/x", "a/", "a\0", "a" * 300, "a/" * 600, "\udce9", "b"]
)
def test_a_path_that_names_no_file_is_a_lost_file(tmp_path: Path, path: str) -> None:
    (tmp_path / "b").mkdir()
    for read in (content_of, opened):
        with pytest.raises(FileNotFoundError):
            read(Storage(str(tmp_path)), path)


def test_names_that_are_no_utf_8_are_listed(tmp_path: Path) -> None:
    for name in (b"caf\xe9.txt", b"a.txt"):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(b"")
    assert names_in(Storage(str(tmp_path))) == ["a.txt", "caf\udce9.txt"]


def test_a_store_that_fails_is_not_blamed_on_the_file() -> None:
    class Failing(io.BytesIO):
        def readinto(self, buffer: Any) -> int:
            raise OSError("the network is down")

    file = Watched(Failing(b"0" * 100))
    with pytest.raises(OSError, match="the network is down"), as_its_form(file):
        pq.ParquetFile(file)
    with pytest.raises(ValueError, match="cannot be read as its form"), as_its_form(Watched(io.BytesIO())):
        raise OSError("thrift")

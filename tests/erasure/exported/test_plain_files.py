"""Part files lose rows, and lists lose lines; what cannot be read as either is an error, not a file without rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from facesieve.erasure.exported.own_files import NOT_WHOLE
from facesieve.erasure.exported.plain_files import take_lines, take_rows
from facesieve.erasure.subject import Subject
from facesieve.images.storage import Storage

ANN = Subject(images=(1,), uris=("ann/1\n.jpg",))
COLUMNS: dict[str, Any] = {"image_id": [1, 2], "identity": ["ann", "bob"], "label": pa.array([0, 1], pa.int32())}


def written(folder: Path, columns: dict[str, Any]) -> Storage:
    pq.write_table(pa.table(columns), folder / "part")
    return Storage(str(folder))


def test_rows_go_and_who_stays_is_told(tmp_path: Path) -> None:
    target = written(tmp_path, COLUMNS | {"face_id": [7, 8]})
    bob = [{"label": 1, "image_id": 2, "identity": "bob"}]
    before = target.read("part")
    assert take_rows(target, "part", ANN, apply=False) == (1, bob)
    assert target.read("part") == before
    assert take_rows(target, "part", ANN, apply=True) == (1, bob)
    assert pq.read_table(tmp_path / "part").to_pylist() == [{**bob[0], "face_id": 8}]
    assert take_rows(target, "part", Subject(images=(2,)), apply=True) == (1, [])
    assert not target.exists("part")


@pytest.mark.parametrize(
    "columns",
    [
        {"x": [1]},
        {"image_id": [1]},
        COLUMNS | {"image_id": [None, 2]},
        COLUMNS | {"image_id": ["9.16E+18", "2"]},
        COLUMNS | {"label": [["a"], ["b"]]},
    ],
)
def test_a_part_file_of_other_columns_is_an_error(tmp_path: Path, columns: dict[str, Any]) -> None:
    with pytest.raises(NOT_WHOLE):
        take_rows(written(tmp_path, columns), "part", ANN, apply=True)


@pytest.mark.parametrize(("start", "stop"), [(4, 40), (-100, -40), (-8, -4)])
def test_a_part_file_that_is_spoilt_is_an_error(tmp_path: Path, start: int, stop: int) -> None:
    target = written(tmp_path, COLUMNS)
    content = bytearray(target.read("part"))
    content[start:stop] = b"\xff" * (stop - start)
    target.write("part", bytes(content))
    with pytest.raises(NOT_WHOLE):
        take_rows(target, "part", ANN, apply=True)


def test_lines_go_however_an_editor_ends_them(tmp_path: Path) -> None:
    target = Storage(str(tmp_path))
    for end in (b"\n", b"\r\n"):
        lines = [b"ann\tann/1%0A.jpg", b"bob\tbob/2.jpg", b""]
        target.write("list", end.join(lines))
        assert take_lines(target, "list", ANN, apply=False) == 1
        assert target.read("list") == end.join(lines)
        assert take_lines(target, "list", ANN, apply=True) == 1
        assert target.read("list") == end.join(lines[1:])


@pytest.mark.parametrize("content", [b"Zo\xeb\tzoe/1.jpg\n", "ann\tann/1.jpg\n".encode("utf-16"), b"ann ann/1.jpg\n"])
def test_a_list_that_is_no_list_is_an_error(tmp_path: Path, content: bytes) -> None:
    target = Storage(str(tmp_path))
    target.write("list", content)
    with pytest.raises(NOT_WHOLE):
        take_lines(target, "list", ANN, apply=True)

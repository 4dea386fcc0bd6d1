from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from facesieve.core.errors import ContractError
from facesieve.core.sections import Columns
from facesieve.images.parquet_files import parquet_files
from facesieve.images.parquet_rows import Part, RowFetch, RowReader, parts
from facesieve.images.storage import Storage

NUMBERED = Columns(uri="")


def _written(file: Path, uris: list[str | None], group: int = 2) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    content = pa.array([None if uri is None else f"bytes of {uri}".encode() for uri in uris], pa.binary())
    table = pa.table({"uri": pa.array(uris, pa.string()), "bytes": content, "half": pa.nulls(len(uris), pa.float16())})
    pq.write_table(table, file, row_group_size=group)


def _parts(root: Path) -> list[Part]:
    return list(parts(parquet_files(Storage(str(root))).files))


def _rows(reader: RowReader, listed: list[Part]) -> list[dict[str, Any]]:
    batch = pa.RecordBatch.from_pylist([part._asdict() for part in listed])
    return [row for each in pickle.loads(pickle.dumps(reader))([batch]) for row in each.to_pylist()]


def test_parts_are_the_row_groups_with_the_number_of_their_first_row(tmp_path: Path) -> None:
    _written(tmp_path / "a.parquet", list("abcde"))
    _written(tmp_path / "b.parquet", [])
    _written(tmp_path / "c.parquet", ["f"])
    a = [Part("a.parquet", 0, 0, 2), Part("a.parquet", 1, 2, 2), Part("a.parquet", 2, 4, 1)]
    assert _parts(tmp_path) == [*a, Part("c.parquet", 0, 0, 1)]


def test_every_row_is_an_image(tmp_path: Path) -> None:
    _written(tmp_path / "a.parquet", ["x/a", None, "b"])
    _written(tmp_path / "identity=0007" / "b.parquet", ["c"])
    rows = _rows(RowReader(str(tmp_path), Columns()), _parts(tmp_path))
    assert [(row["uri"], row["size"], row["content"], row["identity"]) for row in rows] == [
        ("x/a", 12, b"bytes of x/a", None),
        (None, 0, None, None),
        ("b", 10, b"bytes of b", None),
        ("c", 10, b"bytes of c", "0007"),
    ]
    assert {row["modified"] for row in rows} == {None}


def test_rows_without_a_uri_are_named_by_file_and_number(tmp_path: Path) -> None:
    _written(tmp_path / "more" / "a.parquet", list("abcde"))
    reader = RowReader(str(tmp_path), NUMBERED)
    uris = [row["uri"] for row in _rows(reader, _parts(tmp_path))]
    assert uris == [f"more/a.parquet#{number}" for number in range(5)]
    assert RowFetch(str(tmp_path), NUMBERED)("more/a.parquet#3") == b"bytes of d"
    file = tmp_path / "more" / "a.parquet"
    assert [row["uri"] for row in _rows(RowReader(str(file), NUMBERED), _parts(file))][-1] == "a.parquet#4"


def test_names_alone_come_without_bytes(tmp_path: Path) -> None:
    _written(tmp_path / "a.parquet", ["a", "b", None])
    rows = _rows(RowReader(str(tmp_path), Columns(), content=False), _parts(tmp_path))
    assert [(row["uri"], row["size"], row["content"]) for row in rows] == [
        ("a", None, None),
        ("b", None, None),
        (None, None, None),
    ]
    numbered = RowReader(str(tmp_path), NUMBERED, content=False)
    assert [row["uri"] for row in _rows(numbered, _parts(tmp_path))] == [f"a.parquet#{number}" for number in range(3)]


def test_a_file_that_is_not_as_it_was_listed_is_named(tmp_path: Path) -> None:
    _written(tmp_path / "a.parquet", list("abcd"))
    listed = _parts(tmp_path)
    _written(tmp_path / "a.parquet", list("ab"))
    with pytest.raises(ContractError, match=r"a\.parquet cannot be read as it was listed"):
        _rows(RowReader(str(tmp_path), Columns()), listed)
    _written(tmp_path / "a.parquet", list("abc"))
    with pytest.raises(ContractError, match=r"row group 1 has 1 rows, not 2"):
        _rows(RowReader(str(tmp_path), Columns()), listed)
    os.remove(tmp_path / "a.parquet")
    with pytest.raises(ContractError, match=r"a\.parquet cannot be read"):
        _rows(RowReader(str(tmp_path), Columns()), listed)


def test_text_that_is_not_utf8_is_told_with_its_file(tmp_path: Path) -> None:
    table = pa.table({"uri": pa.array([b"\xff"], pa.binary()), "bytes": pa.array([b"x"])})
    pq.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(ContractError, match=r"a\.parquet cannot be read"):
        _rows(RowReader(str(tmp_path), Columns()), _parts(tmp_path))


def test_fetch_finds_the_bytes_of_one_uri(tmp_path: Path) -> None:
    _written(tmp_path / "a.parquet", ["a", None, "b"])
    _written(tmp_path / "b.parquet", ["c"])
    fetch = pickle.loads(pickle.dumps(RowFetch(str(tmp_path), Columns())))
    assert [fetch(uri) for uri in "cba"] == [b"bytes of c", b"bytes of b", b"bytes of a"]
    with pytest.raises(FileNotFoundError):
        fetch("nowhere")

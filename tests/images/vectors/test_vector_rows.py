from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from facesieve.core.errors import ContractError
from facesieve.core.sections import Columns
from facesieve.images.vectors import vector_rows
from facesieve.images.vectors.vector_files import place_of, vector_files
from facesieve.images.vectors.vector_rows import Part, VectorReader, as_content, parts

VECTORS = np.arange(15, dtype=np.float32).reshape(5, 3)


def _rows(root: Path, columns: Columns | None = None, *, content: bool = True) -> list[dict[str, Any]]:
    place = place_of(str(root))
    files = tuple(vector_files(place, columns or Columns(), 3).files)
    reader = pickle.loads(pickle.dumps(VectorReader(place.storage, files, bool(place.only), content)))
    listed = pa.RecordBatch.from_pylist([part._asdict() for part in parts(files)])
    return [row for batch in reader([listed]) for row in batch.to_pylist()]


def _vectors(rows: list[dict[str, Any]]) -> list[list[float]]:
    return [np.frombuffer(row["content"], "<f4").tolist() for row in rows]


@pytest.mark.parametrize("part_rows", [2, 100])
def test_rows_bear_their_names_and_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part_rows: int) -> None:
    monkeypatch.setattr(vector_rows, "_PART_ROWS", part_rows)
    (tmp_path / "sub").mkdir()
    np.save(tmp_path / "sub/a.npy", VECTORS.astype(np.float64))
    (tmp_path / "sub/a.meta").write_text("7\n7\n\nAnn B\n 8 \n")
    rows = _rows(tmp_path)
    assert [row["uri"] for row in rows] == [f"sub/a.npy#{number}" for number in range(5)]
    assert [row["identity"] for row in rows] == ["7", "7", None, "Ann B", "8"]
    assert _vectors(rows) == VECTORS.tolist()
    assert {row["size"] for row in rows} == {12}
    assert {type(row["modified"]).__name__ for row in rows} == {"datetime"}
    names = _rows(tmp_path, content=False)
    assert [(row["uri"], row["identity"], row["content"], row["size"]) for row in names] == [
        (row["uri"], row["identity"], None, 12) for row in rows
    ]
    assert [row["uri"] for row in _rows(tmp_path / "sub/a.npy")][:2] == ["a.npy#0", "a.npy#1"]


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_lists_of_an_archive_name_its_rows(tmp_path: Path, save: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vector_rows, "_PART_ROWS", 2)
    save(tmp_path / "a.npz", e=VECTORS.astype(np.float16), paths=np.array(list("abcde")), labels=np.arange(5.0))
    rows = _rows(tmp_path)
    assert [(row["uri"], row["identity"]) for row in rows] == list(zip("abcde", "01234", strict=True))
    assert _vectors(rows) == VECTORS.tolist()


def test_equal_vectors_are_equal_bytes_whatever_their_precision() -> None:
    contents = [as_content(VECTORS.astype(kind)).to_pylist() for kind in ("<f4", ">f4", "<f8", "<f2")]
    assert contents[1:] == contents[:-1]
    assert as_content(np.array([[1e300]])).to_pylist() == [np.array([np.inf], "<f4").tobytes()]


def test_a_file_that_changed_is_named(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", VECTORS)
    place = place_of(str(tmp_path))
    files = tuple(vector_files(place, Columns(), 0).files)
    (tmp_path / "a.npy").write_bytes(b"")
    with pytest.raises(ContractError, match=r"a\.npy cannot be read as it was listed"):
        list(VectorReader(place.storage, files)([pa.RecordBatch.from_pylist([Part(0, 0, 5)._asdict()])]))

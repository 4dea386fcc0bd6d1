from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from facesieve.core.sections import Columns
from facesieve.images.storage import Storage
from facesieve.images.vectors.arrays import Array, NotAnArray
from facesieve.images.vectors.vector_names import Beside, Candidate, Names, companion, folder_of, member


def _array(name: str, rows: int) -> Array:
    return Array("a.npz", np.dtype("U5"), (rows,), member=f"{name}.npy")


def test_the_configured_list_comes_first() -> None:
    lists = {name: _array(name, 4) for name in ("identity", "labels", "who")}
    for column, name in (("identity", "identity"), ("who", "who")):
        assert member(lists, "identity", column, 4) == Names("a.npz", lists[name])
    del lists["identity"]
    assert member(lists, "identity", "identity", 4) == Names("a.npz", lists["labels"])
    assert member(lists, "identity", "identity", 5) is None
    assert member(lists, "uri", "", 4) is None


def test_lines_are_counted_whether_or_not_the_last_one_ends(tmp_path: Path) -> None:
    for text, rows in (("a\nb\n", 2), ("a\nb", 2), ("\n\n", 2)):
        (tmp_path / "v.meta").write_text(text)
        files = {name: Candidate(name, 1, 1) for name in ("v.npy", "v.meta")}
        beside = Beside(Storage(str(tmp_path)), files, Columns(), frozenset())
        assert companion(beside, "v.npy", "identity", "identity", rows) == Names("v.meta")
        with pytest.raises(NotAnArray, match="3 vectors, and"):
            companion(beside, "v.npy", "identity", "identity", 3)


def test_folders_end_with_a_slash() -> None:
    assert [folder_of(name) for name in ("a/b/c.npy", "c.npy")] == ["a/b/", ""]

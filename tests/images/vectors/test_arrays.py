from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facesieve.images.storage import Storage
from facesieve.images.vectors.arrays import Array, NotAnArray, arrays_of, batches, headerless

VECTORS = np.arange(60, dtype=np.float32).reshape(12, 5)


def _read(folder: Path, array: Array, first: int, rows: int) -> npt.NDArray[Any]:
    return np.concatenate(list(batches(Storage(str(folder)), array, first, rows)))


def _only(folder: Path, name: str) -> Array:
    (array,) = arrays_of(Storage(str(folder)), name)
    return array


@pytest.mark.parametrize("kind", ["<f4", ">f4", "<f2", "<f8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_any_part_of_an_array_is_read(tmp_path: Path, kind: str, order: Any) -> None:
    np.save(tmp_path / "a.npy", np.asarray(VECTORS.astype(kind), order=order))
    array = _only(tmp_path, "a.npy")
    assert (array.rows, array.width, array.is_matrix, array.is_list) == (12, 5, True, False)
    assert np.array_equal(_read(tmp_path, array, 3, 7), VECTORS[3:10])


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_members_of_an_archive_are_read_alike(tmp_path: Path, save: Any) -> None:
    names = np.array(["Ann", "Bob"] * 6)
    save(tmp_path / "a.npz", vector=VECTORS, who=names, year=np.arange(12))
    arrays = {array.member: array for array in arrays_of(Storage(str(tmp_path)), "a.npz")}
    assert [arrays[each].is_list for each in ("vector.npy", "who.npy", "year.npy")] == [False, True, True]
    assert np.array_equal(_read(tmp_path, arrays["vector.npy"], 3, 7), VECTORS[3:10])
    assert np.array_equal(_read(tmp_path, arrays["who.npy"], 3, 7), names[3:10])


def test_python_objects_are_never_loaded(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(NotAnArray, match="Python objects"):
        arrays_of(Storage(str(tmp_path)), "a.npy")
    np.savez(tmp_path / "b.npz", vector=VECTORS, who=np.array([{}], object))
    assert [array.member for array in arrays_of(Storage(str(tmp_path)), "b.npz")] == ["vector.npy"]


def test_files_that_were_cut_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", VECTORS)
    whole = (tmp_path / "a.npy").read_bytes()
    for size in (0, 7, 90, len(whole) - 1):
        (tmp_path / "a.npy").write_bytes(whole[:size])
        with pytest.raises(NotAnArray):
            arrays_of(Storage(str(tmp_path)), "a.npy")
    np.savez(tmp_path / "b.npz", vector=VECTORS)
    (tmp_path / "b.npz").write_bytes((tmp_path / "b.npz").read_bytes()[:-30])
    with pytest.raises(NotAnArray, match=r"no whole \.npz"):
        arrays_of(Storage(str(tmp_path)), "b.npz")


def test_a_member_that_was_damaged_ends_in_a_sentence(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", vector=np.random.default_rng(1).random((500, 8)))
    array = _only(tmp_path, "a.npz")
    content = bytearray((tmp_path / "a.npz").read_bytes())
    content[2_000:2_040] = bytes(40)
    (tmp_path / "a.npz").write_bytes(bytes(content))
    with pytest.raises(NotAnArray, match=r"unpacked|ends in the middle"):
        _read(tmp_path, array, 0, 500)


def test_a_file_that_shrank_since_it_was_listed_is_told_of(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", VECTORS)
    array = _only(tmp_path, "a.npy")
    (tmp_path / "a.npy").write_bytes((tmp_path / "a.npy").read_bytes()[:-8])
    with pytest.raises(NotAnArray, match="ends 8 bytes before"):
        _read(tmp_path, array, 0, 12)


def test_a_header_that_promises_more_than_a_member_holds_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", VECTORS)
    member = (tmp_path / "a.npy").read_bytes().replace(b"(12, 5)", b"(99, 5)")
    for packing in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        with zipfile.ZipFile(tmp_path / "a.npz", "w", packing) as archive:
            archive.writestr("vector.npy", member)
        with pytest.raises(NotAnArray, match=r"middle of vector\.npy"):
            arrays_of(Storage(str(tmp_path)), "a.npz")


def test_a_file_without_a_header_needs_a_dimension_that_divides_it(tmp_path: Path) -> None:
    VECTORS.tofile(tmp_path / "a.bin")
    array = headerless("a.bin", VECTORS.nbytes, 5)
    assert np.array_equal(_read(tmp_path, array, 11, 1), VECTORS[11:])
    for size, dimension, text in ((240, 0, "no header"), (240, 7, "no whole number"), (0, 5, "no whole number")):
        with pytest.raises(NotAnArray, match=text):
            headerless("a.bin", size, dimension)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 40), st.integers(1, 9), st.data())
def test_parts_make_the_whole(tmp_path_factory: pytest.TempPathFactory, rows: int, width: int, data: Any) -> None:
    folder, cut = tmp_path_factory.mktemp("arrays"), data.draw(st.integers(0, rows))
    vectors = np.random.default_rng(rows).random((rows, width), np.float32)
    np.save(folder / "a.npy", vectors)
    array = _only(folder, "a.npy")
    parts = [_read(folder, array, *part) for part in ((0, cut), (cut, rows - cut)) if part[1]]
    assert np.array_equal(np.concatenate(parts), vectors)

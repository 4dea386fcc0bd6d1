from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from facesieve.core.sections import Columns
from facesieve.images.vectors.vector_files import VectorFiles, is_array_file, names_below, place_of, vector_files

VECTORS = np.arange(12, dtype=np.float32).reshape(4, 3)


def _listed(root: Path, columns: Columns | None = None, dimension: int = 0) -> VectorFiles:
    return vector_files(place_of(str(root)), columns or Columns(), dimension)


def _files(listed: VectorFiles) -> list[tuple[str, str | None, str | None]]:
    names = [(each.vectors.name, each.uris, each.identities) for each in listed.files]
    return [(name, uris.file if uris else None, people.file if people else None) for name, uris, people in names]


def test_a_set_as_learn_to_cluster_has_it(tmp_path: Path) -> None:
    for folder in ("features", "labels", "knns/part0"):
        (tmp_path / folder).mkdir(parents=True)
    for part in ("part0", "part1"):
        VECTORS.tofile(tmp_path / f"features/{part}.bin")
        (tmp_path / f"labels/{part}.meta").write_text("0\n0\n1\n2\n")
    np.savez(tmp_path / "knns/part0/faiss_k_80.npz", data=np.zeros((4, 2, 80), np.float32))
    listed = _listed(tmp_path, dimension=3)
    parts = [(f"features/{part}.bin", None, f"labels/{part}.meta") for part in ("part0", "part1")]
    assert (_files(listed), listed.problems, listed.dimensions) == (parts, [], [3])
    assert [kind[::2] for kind in listed.beside.kinds] == [(".npz", 1)]
    assert _files(_listed(tmp_path / "features/part1.bin", dimension=3)) == [parts[1]]
    assert names_below(str(tmp_path / "features/part1.bin")) == ["features/part1.bin"]


def test_names_beside_the_only_array_of_a_folder(tmp_path: Path) -> None:
    np.save(tmp_path / "embeddings.npy", VECTORS)
    np.save(tmp_path / "labels.npy", np.arange(4))
    (tmp_path / "paths.txt").write_text("a\nb\nc\nd")
    assert _files(_listed(tmp_path)) == [("embeddings.npy", None, None)]
    named = Columns(uri="paths", identity="labels")
    assert _files(_listed(tmp_path, named)) == [("embeddings.npy", "paths.txt", "labels.npy")]
    assert _files(_listed(tmp_path / "embeddings.npy", named)) == [("embeddings.npy", "paths.txt", "labels.npy")]
    np.save(tmp_path / "other.npy", VECTORS)
    assert "or there are other vectors" in _listed(tmp_path, named).problems[0]


def test_names_of_another_length_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", VECTORS)
    (tmp_path / "a.meta").write_text("1\n2\n3\n")
    assert _listed(tmp_path).problems == ["a.npy holds 4 vectors, and a.meta 3 names"]
    np.savez(tmp_path / "b.npz", vector=VECTORS, who=np.arange(5))
    assert _listed(tmp_path / "b.npz", Columns(identity="who")).problems == [
        "b.npz holds 4 vectors, and 5 names in who"
    ]


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_lists_of_an_archive_are_told_by_name_and_length(tmp_path: Path, save: object) -> None:
    assert callable(save)
    save(tmp_path / "a.npz", embeddings=VECTORS, labels=np.arange(4), paths=np.array(list("abcd")), names=np.arange(9))
    (file,) = _listed(tmp_path).files
    lists = [names.array.member for names in (file.uris, file.identities) if names and names.array]
    assert lists == ["paths.npy", "labels.npy"]
    assert file.whole == (save is np.savez_compressed)
    assert "there is no list who" in _listed(tmp_path, Columns(identity="who")).problems[0]


def test_what_is_no_set_of_vectors_is_told_of(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", left=VECTORS, right=VECTORS)
    np.save(tmp_path / "b.npy", VECTORS.astype(int))
    VECTORS.tofile(tmp_path / "c.bin")
    (tmp_path / "d.npy").write_text("text")
    listed = _listed(tmp_path)
    assert (len(listed.files), len(listed.problems)) == (0, 3)
    assert "several arrays of vectors (left, right)" in listed.problems[-1]
    assert (is_array_file("A.NPY"), is_array_file("a.parquet")) == (True, False)
    np.savez_compressed(tmp_path / "a.npz", vector=np.asfortranarray(VECTORS))
    assert "column by column" in _listed(tmp_path / "a.npz").problems[0]


def test_links_that_lead_out_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    np.save(tmp_path / "a.npy", VECTORS)
    (tmp_path / "root/a.npy").symlink_to(tmp_path / "a.npy")
    assert _listed(tmp_path / "root").files == []

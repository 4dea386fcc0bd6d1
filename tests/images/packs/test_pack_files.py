from __future__ import annotations

from pathlib import Path

import pytest

from facesieve.images.packs.pack_files import pack_files
from facesieve.images.packs.recordio import RecordIO
from facesieve.images.protocol import Sort


def _tree(root: Path) -> Path:
    for name in ("faces/train.rec", "faces/train.idx", "faces/property", "faces/lfw.bin", "val.REC", "a.jpg", "b.txt"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")
    (root / "._train.rec").write_bytes(b"x")
    (root / "empty.rec").touch()
    return root


def test_packs_and_companions_are_told_apart_from_the_rest(tmp_path: Path) -> None:
    listed = pack_files(str(_tree(tmp_path)), RecordIO(), ("._*",))
    assert [file.uri for file in listed.files] == ["faces/train.rec", "val.REC"]
    assert [file.uri for file in listed.companions] == ["faces/property", "faces/train.idx"]
    assert all(file.size == 1 and file.modified for file in listed.files)
    assert {(kind.kind, kind.sort, kind.files) for kind in listed.beside} == {
        (".bin", Sort.NO_IMAGE, 1),
        (".txt", Sort.NO_IMAGE, 1),
        ("._*", Sort.LITTER, 1),
        ("image file", Sort.MAYBE, 1),
        ("pack without bytes", Sort.MAYBE, 1),
    }


def test_a_root_may_be_one_pack(tmp_path: Path) -> None:
    listed = pack_files(str(_tree(tmp_path) / "faces" / "train.rec"), RecordIO(), ())
    assert [file.uri for file in (*listed.files, *listed.companions)] == ["train.rec", "train.idx"]
    assert listed.beside == ()
    assert listed.storage.folder == tmp_path / "faces"


def test_a_root_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        pack_files(str(tmp_path / "no"), RecordIO(), ())

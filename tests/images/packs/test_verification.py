from __future__ import annotations

from pathlib import Path

from pack_writers import content_of, records_of, verification

from facesieve.images.packs.pack_files import pack_files
from facesieve.images.packs.verification import Verification, is_verification

PICTURES = [b"\xff\xd8\xff" + bytes([number]) * 9 for number in range(4)]


def test_images_are_named_by_their_number(tmp_path: Path) -> None:
    for name in ("lfw.bin", "cfp_fp.bin"):
        (tmp_path / name).write_bytes(verification([*PICTURES, PICTURES[0]]))
    records = records_of(tmp_path, Verification(), 9)
    assert [(record.at.file, record.at.name) for record in records] == [
        (name, str(number)) for name in ("cfp_fp.bin", "lfw.bin") for number in range(5)
    ]
    contents = [content_of(tmp_path, Verification(), record) for record in records]
    assert contents == [*PICTURES, PICTURES[0]] * 2
    assert [record.size for record in records] == [12] * 10


def test_every_set_that_is_broken_is_told(tmp_path: Path) -> None:
    whole = verification(PICTURES)
    for name, content in (("a.bin", whole), ("b.bin", whole[:-9]), ("c.bin", b"\0" * 99)):
        (tmp_path / name).write_bytes(content)
    listed = pack_files(str(tmp_path), Verification(), ())
    faults = Verification().faults(listed.storage, listed.files, listed.companions)
    assert [fault.problem[:30] for fault in faults] == [
        f"{name} is no verification set: " for name in ("b.bin", "c.bin")
    ]


def test_a_folder_of_images_is_no_verification_set(tmp_path: Path) -> None:
    assert not is_verification(str(tmp_path))
    (tmp_path / "lfw.bin").write_bytes(b"x")
    assert is_verification(str(tmp_path))
    assert is_verification(str(tmp_path / "lfw.bin"))
    (tmp_path / "a.jpg").touch()
    assert not is_verification(str(tmp_path))

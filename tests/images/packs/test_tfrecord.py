from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from pack_writers import CountedRanges, content_of, records_of, tf_example, tf_framed

from facesieve.core.errors import Fault
from facesieve.core.sections import Columns
from facesieve.images.packs import tfrecord as module
from facesieve.images.packs.locators import Locator
from facesieve.images.packs.pack_files import pack_files
from facesieve.images.packs.tfrecord import TFRecord

COLUMNS = Columns()
JPEG = b"\xff\xd8\xff\xe0"


def _written(root: Path, name: str = "a.tfrecord", number: int = 4) -> list[int]:
    root.mkdir(parents=True, exist_ok=True)
    examples = [{"image/encoded": JPEG + bytes([65 + each]) * 9, "label": each} for each in range(number)]
    records = [tf_framed(tf_example(example)) for example in examples]
    (root / name).write_bytes(b"".join(records))
    return [sum(map(len, records[:each])) for each in range(number)]


def _faults(root: Path, columns: Columns = COLUMNS) -> list[Fault]:
    listed = pack_files(str(root), TFRecord(), ())
    return TFRecord(columns).faults(listed.storage, listed.files, listed.companions)


@pytest.mark.parametrize("pieces", [1, 5, 40])
def test_every_example_is_an_image(tmp_path: Path, pieces: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LEAST", 1)
    at = _written(tmp_path)
    (tmp_path / "b-00000-of-00002").write_bytes(
        tf_framed(tf_example({"image": b"x", "label": "Bea", "filename": "Bea/1.jpg"}))
    )
    records = records_of(tmp_path, TFRecord(), pieces)
    assert [(record.at.uri, record.size, record.identity) for record in records] == [
        *((f"a.tfrecord@{each}#.jpg", 13, str(number)) for number, each in enumerate(at)),
        ("b-00000-of-00002@0#Bea/1.jpg", 1, "Bea"),
    ]
    assert content_of(tmp_path, TFRecord(), records[2]) == JPEG + b"C" * 9


@pytest.mark.parametrize("pieces", [1, 7])
def test_a_flipped_byte_costs_its_record_alone(tmp_path: Path, pieces: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LEAST", 1)
    at = _written(tmp_path)
    sound = (tmp_path / "a.tfrecord").read_bytes()
    for flipped in range(len(sound)):
        changed = bytes([sound[flipped] ^ 0x20])
        (tmp_path / "a.tfrecord").write_bytes(sound[:flipped] + changed + sound[flipped + 1 :])
        records = records_of(tmp_path, TFRecord(), pieces)
        hit = max(begin for begin in at if begin <= flipped)
        assert [record.at.offset for record in records if not record.problem] == [each for each in at if each != hit]
        (broken,) = (record for record in records if record.problem)
        assert broken.at.offset == hit
        assert content_of(tmp_path, TFRecord(), broken) == broken.problem


def test_records_inside_of_damaged_data_are_none(tmp_path: Path) -> None:
    inner = tf_framed(tf_example({"image": b"inner"}))
    outer = bytearray(tf_framed(tf_example({"image": b"outer" + inner})))
    outer[outer.index(b"outer")] ^= 1
    (tmp_path / "a.tfrecord").write_bytes(outer + inner)
    assert [(r.at.offset, bool(r.problem)) for r in records_of(tmp_path, TFRecord())] == [
        (0, True),
        (len(outer), False),
    ]


def test_a_file_that_is_cut_anywhere_loses_what_is_behind_alone(tmp_path: Path) -> None:
    at = _written(tmp_path)
    sound = (tmp_path / "a.tfrecord").read_bytes()
    for length in range(1, len(sound)):
        (tmp_path / "a.tfrecord").write_bytes(sound[:length])
        records = records_of(tmp_path, TFRecord())
        assert [record.at.offset for record in records if not record.problem] == [
            begin for begin, end in zip(at, [*at[1:], len(sound)], strict=True) if end <= length
        ]
        assert sum(bool(record.problem) for record in records) == (length not in at)


def test_names_of_files() -> None:
    packs = ["a.tfrecord", "a.TFRecords", "a.tfrec", "lfw-train.tfrecord-00000-of-00010", "train-00003-of-00128"]
    others = ["a.jpg", "tfrecord", "a.tfrecord.json", "00003-of-00128.jpg"]
    assert [TFRecord().is_pack(name) for name in packs + others] == [True] * 5 + [False] * 4


def test_what_cannot_be_read_is_a_fault(tmp_path: Path) -> None:
    _written(tmp_path / "a")
    assert _faults(tmp_path / "a") == []
    fault = _faults(tmp_path / "a", Columns(bytes="face"))[0]
    assert (fault.key, "no bytes in a feature face" in fault.problem) == ("images.columns", True)
    for name, content, problem in (
        ("b", b"no such file format", "no record begins at byte 0"),
        ("c", gzip.compress(b"x"), "is compressed"),
        ("d", b"x", "is cut"),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.tfrecord").write_bytes(content)
        assert problem in _faults(tmp_path / name)[0].problem


def test_one_image_is_read_without_the_others() -> None:
    content = b"".join(tf_framed(tf_example({"image": bytes([each]) * 9_000})) for each in range(50))
    ranges = CountedRanges(content)
    offset = 3 * len(content) // 50
    assert TFRecord().content(ranges, Locator("a", offset)) == bytes([3]) * 9_000
    assert ranges.bytes_read < 2 * 9_100

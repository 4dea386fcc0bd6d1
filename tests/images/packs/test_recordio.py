from __future__ import annotations

import os
from pathlib import Path

import pytest
from pack_writers import (
    MAGIC,
    MXNET_IDX,
    MXNET_IMAGES,
    MXNET_REC,
    content_of,
    framed,
    labelled,
    recordio,
    records_of,
)

from facesieve.core.errors import Fault
from facesieve.images.packs import recordio as module
from facesieve.images.packs.pack_files import pack_files
from facesieve.images.packs.recordio import IDENTITY_RECORD, RecordIO
from facesieve.images.packs.records import COVERED, Record

JPEG = b"\xff\xd8\xff\xe0"


def _images(records: list[Record]) -> list[Record]:
    return [record for record in records if not record.kind]


def _sound(root: Path, records: list[Record]) -> dict[str, bytes | str]:
    """Return the images that were read, by key or place; what is broken must be so for the fetch too."""
    read = {}
    for record in _images(records):
        content = content_of(root, RecordIO(), record)
        if record.problem:
            assert content == record.problem
        else:
            assert record.size == len(content)
            read[record.at.name.removesuffix(".jpg") or str(record.at.offset)] = content
    return read


def _faults(root: Path) -> list[Fault]:
    listed = pack_files(str(root), RecordIO(), ())
    return RecordIO().faults(listed.storage, listed.files, listed.companions)


@pytest.mark.parametrize("pieces", [1, 9])
def test_a_pack_of_mxnet_is_counted_by_its_index(tmp_path: Path, pieces: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LEAST_INDEX", 1)
    (tmp_path / "train.rec").write_bytes(MXNET_REC)
    (tmp_path / "train.idx").write_bytes(MXNET_IDX)
    (tmp_path / "property").write_text("5,112,112")
    records = records_of(tmp_path, RecordIO(), pieces)
    images = {record.at.uri: record.identity for record in _images(records)}
    assert images == {"train.rec@40#1.jpg": "3", "train.rec@88#2": "4", "train.rec@144#3": "5"}
    assert sum(record.kind == IDENTITY_RECORD for record in records) == 2
    assert sum(record.size or 0 for record in records if record.kind == COVERED) == len(MXNET_REC)
    contents = _sound(tmp_path, records)
    assert contents == {"1": MXNET_IMAGES["1"], "2": MXNET_IMAGES["2"], "3": MXNET_IMAGES["3"]}


@pytest.mark.parametrize("pieces", [1, 9])
def test_a_pack_without_an_index_is_read_by_its_magic_numbers(
    tmp_path: Path, pieces: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LEAST_RECORDS", 1)
    (tmp_path / "train.rec").write_bytes(MXNET_REC)
    records = records_of(tmp_path, RecordIO(), pieces)
    assert [(record.at.offset, record.identity) for record in _images(records)] == [(40, "3"), (88, "4"), (144, "5")]
    assert sorted(_sound(tmp_path, records).values()) == sorted(MXNET_IMAGES.values())


def test_ranges_of_identities_are_never_used(tmp_path: Path) -> None:
    """The ranges say that image 1 is of identity 5 alone, and that image 2 is of nobody."""
    people = [labelled(7, JPEG + b"a"), labelled(8, JPEG + b"b"), labelled([1, 2], b""), labelled([5, 5], b"")]
    recordio(tmp_path, [labelled([3, 5], b""), *people])
    assert [record.identity for record in _images(records_of(tmp_path, RecordIO()))] == ["7", "8"]


def test_a_pack_of_im2rec_has_no_header_record(tmp_path: Path) -> None:
    recordio(tmp_path, [labelled(number, JPEG + bytes([number]), number) for number in range(4)])
    records = records_of(tmp_path, RecordIO())
    assert [(record.at.name, record.identity) for record in _images(records)] == [
        ("0.jpg", "0"),
        ("1.jpg", "1"),
        ("2.jpg", "2"),
        ("3.jpg", "3"),
    ]


def test_an_image_without_bytes_is_an_image(tmp_path: Path) -> None:
    recordio(tmp_path, [labelled(1, JPEG), labelled(2, b"")])
    assert [(r.size, r.identity) for r in _images(records_of(tmp_path, RecordIO()))] == [(4, "1"), (0, "2")]


def test_labels_that_are_refused_cost_their_image_alone(tmp_path: Path) -> None:
    recordio(tmp_path, [labelled(label, JPEG) for label in (1, 0.5, 16_777_218, -1, 2)])
    records = _images(records_of(tmp_path, RecordIO()))
    assert [(record.identity, record.problem[:14]) for record in records] == [
        ("1", ""),
        (None, "its label 0.5 "),
        (None, "its label 1677"),
        (None, ""),
        ("2", ""),
    ]
    assert len(_sound(tmp_path, records)) == 3


def test_what_a_broken_entry_stands_for_is_not_called_left_out(tmp_path: Path) -> None:
    at = recordio(tmp_path, [labelled(number, JPEG) for number in range(3)])
    (tmp_path / "train.idx").write_text(f"0\t{at[0]}\n1\t{at[1] + 4}\n2\t{at[2]}\n")
    covered = sum(record.size or 0 for record in records_of(tmp_path, RecordIO()) if record.kind == COVERED)
    assert covered >= (tmp_path / "train.rec").stat().st_size


def test_an_index_that_lies_costs_what_it_lies_about(tmp_path: Path) -> None:
    at = recordio(tmp_path, [labelled(number, JPEG + b"x" * 9) for number in range(3)])
    (tmp_path / "train.idx").write_text(f"0\t{at[0]}\n1\t{at[1] + 4}\nnonsense\n1\t{at[1]}\n2\t99999\n3\t{at[2]}\n")
    records = records_of(tmp_path, RecordIO())
    assert sorted(_sound(tmp_path, records)) == ["0", "1", "3"]
    assert sorted(record.problem for record in records if record.problem) == [
        "no record begins at byte 52: the magic number is not there",
        "the line at byte 9 of the index is no key, tab and byte",
        "the record at byte 99999 is not there: the file ends at byte 144",
    ]


def test_an_index_that_names_less_than_all_is_seen(tmp_path: Path) -> None:
    at = recordio(tmp_path, [labelled(number, JPEG) for number in range(3)])
    (tmp_path / "train.idx").write_text(f"0\t{at[0]}\n2\t{at[2]}\n")
    covered = [record.size for record in records_of(tmp_path, RecordIO()) if record.kind == COVERED]
    assert covered == [72]
    assert (tmp_path / "train.rec").stat().st_size == 108


@pytest.mark.parametrize("index", [True, False])
@pytest.mark.parametrize("pieces", [1, 7])
def test_a_flipped_byte_loses_no_other_record(
    tmp_path: Path, index: bool, pieces: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever byte is flipped: every other record is read, and the broken one is told, or read as it is now."""
    monkeypatch.setattr(module, "_LEAST_RECORDS", 1)
    monkeypatch.setattr(module, "_LEAST_INDEX", 1)
    payloads = [labelled(number, JPEG + bytes([65 + number]) * 7) for number in range(4)]
    payloads[2] = labelled(2, JPEG + MAGIC + b"CCCC")
    at = recordio(tmp_path, payloads, index=index)
    sound = (tmp_path / "train.rec").read_bytes()
    for flipped in range(len(sound)):
        (tmp_path / "train.rec").write_bytes(sound[:flipped] + bytes([sound[flipped] ^ 0x20]) + sound[flipped + 1 :])
        records = records_of(tmp_path, RecordIO(), pieces)
        hit = max(number for number, begin in enumerate(at) if begin <= flipped)
        offsets = {record.at.offset for record in _images(records) if not record.problem}
        lost = set(at) - offsets
        assert lost <= {at[hit]}, (flipped, lost)
        if lost:
            assert any(record.problem for record in records), flipped
        _sound(tmp_path, records)


@pytest.mark.parametrize("index", [True, False])
def test_a_pack_that_is_cut_anywhere_loses_what_is_behind_alone(tmp_path: Path, index: bool) -> None:
    at = recordio(tmp_path, [labelled(number, JPEG + b"x" * 8) for number in range(3)], index=index)
    sound = (tmp_path / "train.rec").read_bytes()
    for length in range(1, len(sound)):
        (tmp_path / "train.rec").write_bytes(sound[:length])
        records = _images(records_of(tmp_path, RecordIO()))
        whole = sum(begin + len(sound) // 3 <= length for begin in at)
        assert len(_sound(tmp_path, records)) == whole
        assert any(record.problem for record in records) == (index or length not in at)


def test_a_row_changes_with_its_index(tmp_path: Path) -> None:
    recordio(tmp_path, [labelled(1, JPEG)])
    recordio(tmp_path, [labelled(1, JPEG)], "bare", index=False)
    for number, name in enumerate(("bare.rec", "train.rec", "train.idx"), 1):
        os.utime(tmp_path / name, (number, number))
    listed = pack_files(str(tmp_path), RecordIO(), ())
    pieces = RecordIO().pieces(listed.files, listed.companions, 4)
    assert {piece.file: piece.modified for piece in pieces} == {"train.rec": 3_000_000, "bare.rec": 1_000_000}


def test_what_cannot_be_read_as_packs_is_a_fault(tmp_path: Path) -> None:
    recordio(tmp_path / "a", [labelled(1, JPEG)])
    assert _faults(tmp_path / "a") == []
    (tmp_path / "a" / "train.idx").write_bytes(b"")
    assert "the index train.idx is empty" in str(_faults(tmp_path / "a")[0])
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "other.rec").write_bytes(b"Not a pack at all")
    assert "other.rec does not begin with the magic number of RecordIO" in str(_faults(tmp_path / "b")[0])
    for name in ("x", "y"):
        recordio(tmp_path / "c" / name, [labelled([2, 3], b""), labelled(0, JPEG), labelled([1, 2], b"")])
    assert "x/train.rec and y/train.rec each number their people from 0 anew" in str(_faults(tmp_path / "c")[0])
    (tmp_path / "c" / "y" / "train.rec").write_bytes(framed(labelled(1, JPEG)))
    assert _faults(tmp_path / "c") == []

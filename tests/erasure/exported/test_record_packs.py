"""Packs lose the subject's records, and index and list say the same, also after a kill between the two."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import trainers
from packed_exports import ANN, STAYING

from facesieve.erasure.exported.manifest import Manifest
from facesieve.erasure.exported.record_packs import records, take_from_packs
from facesieve.images.storage import Storage


def test_pack_index_and_list_lose_the_subject_also_after_a_kill(target: Storage) -> None:
    pack, folder = target.child("recordio"), Path(target.root) / "recordio"
    former = pack.read("train.idx"), pack.read("train.lst")
    take_from_packs(pack, Manifest.read(pack, ANN))
    read = trainers.records(folder, "train")
    assert [(each.number, each.label, each.content) for each in read] == [
        (each.number, each.label, each.content) for each in STAYING
    ]
    lines = pack.read("train.lst").decode().splitlines()
    assert [line.split("\t")[::2] for line in lines] == [[str(each.number), each.uri] for each in STAYING]
    assert b"ann" not in b"".join(pack.read(name) for name in ("train.rec", "train.idx", "train.lst"))
    done = {name: pack.read(name) for name in ("train.rec", "train.idx", "train.lst")}
    pack.write("train.idx", former[0])
    pack.write("train.lst", former[1])
    take_from_packs(pack, Manifest.read(pack, ANN))
    assert {name: pack.read(name) for name in done} == done


def test_a_list_that_an_editor_has_saved_is_read(target: Storage) -> None:
    pack = target.child("recordio")
    pack.write("train.lst", b"\xef\xbb\xbf" + pack.read("train.lst").replace(b"\n", b"\r\n") + b"\r\n")
    take_from_packs(pack, Manifest.read(pack, ANN))
    lines = pack.read("train.lst").decode().split()[::3]
    assert lines == [str(each.number) for each in STAYING]


@pytest.mark.parametrize("cut", [3, 12, 40])
def test_a_pack_that_is_cut_is_an_error(target: Storage, cut: int) -> None:
    content = target.read("recordio/train.rec")
    assert b"".join(records(io.BytesIO(content))) == content, "records with frames and padding, as they stand"
    with pytest.raises(ValueError, match="the pack is cut, or no RecordIO"):
        list(records(io.BytesIO(content[: len(content) - cut])))

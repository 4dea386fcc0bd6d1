"""Shards of WebDataset lose the subject's samples; all else in them stays to the bit."""

from __future__ import annotations

import gzip
import tarfile
from pathlib import Path

import pytest
from packed_exports import ANN, STAYING
from trainers import samples

from facesieve.erasure.exported.manifest import Manifest
from facesieve.erasure.exported.tar_shards import take_from_tars
from facesieve.erasure.subject import Subject
from facesieve.images.storage import Storage


def folder_of(target: Storage) -> Path:
    return Path(target.root) / "webdataset"


def test_other_samples_stay_to_the_bit_and_so_do_other_shards(target: Storage) -> None:
    folder = folder_of(target)
    before = {file.name: file.read_bytes() for file in folder.glob("*.tar")}
    for _ in range(2):  # the second time as after a kill
        take_from_tars(target.child("webdataset"), Manifest.read(target.child("webdataset"), ANN))
    after = {file.name: file.read_bytes() for file in folder.glob("*.tar")}
    assert after["000002.tar"] == before["000002.tar"]
    assert len(after["000000.tar"]) <= len(before["000000.tar"])
    left = [sample for name in sorted(after) for sample in samples(folder / name)]
    assert [(each["key"], each["jpg"]) for each in left] == [(f"{each.number:09d}", each.content) for each in STAYING]
    assert not any(b"ann" in content for content in after.values())
    member = after["000000.tar"][:512]
    assert member in before["000000.tar"], "headers too"


def test_an_emptied_shard_is_a_tar_without_members(target: Storage) -> None:
    both = Subject(images=(1, 3))
    take_from_tars(target.child("webdataset"), Manifest.read(target.child("webdataset"), both))
    assert samples(folder_of(target) / "000000.tar") == []


@pytest.mark.parametrize("packed", [False, True])
def test_a_shard_that_is_no_tar_is_an_error(target: Storage, packed: bool) -> None:
    content = gzip.compress(target.read("webdataset/000000.tar"))[:-200] if packed else b"cut"
    target.write("webdataset/000000.tar", content)
    with pytest.raises(tarfile.TarError):
        take_from_tars(target.child("webdataset"), Manifest.read(target.child("webdataset"), ANN))

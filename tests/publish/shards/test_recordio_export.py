"""RecordIO: a pack read by its index and without it, the list, and what is refused."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from exported import LABELS, PLACES, content
from exporting import export
from pyspark.sql import functions as F
from trainers import records

from facesieve.core.errors import ContractError
from facesieve.core.tables import Cleaned
from facesieve.images.storage import Storage
from facesieve.publish.shards.recordio_export import export_recordio


def test_a_pack_holds_each_image_with_its_label_and_the_list_says_the_same(
    cleaned: Cleaned, source: Storage, tmp_path: Path
) -> None:
    pack = dataclasses.replace(export(cleaned, source), size=(112, 96))
    assert export_recordio(pack, Storage(str(tmp_path))) == len(PLACES)
    folder = tmp_path / "recordio"
    read = records(folder, "train")
    lines = [line.split("\t") for line in (folder / "train.lst").read_text(encoding="utf-8").splitlines()]
    assert [(str(record.number), record.label) for record in read] == [(line[0], float(line[1])) for line in lines]
    uris = [line[2].replace("%0A", "\n") for line in lines]
    assert {uri: record.label for uri, record in zip(uris, read, strict=True)} == {
        uri: float(LABELS[identity]) for uri, identity in PLACES.items()
    }
    assert [record.content for record in read] == [content(uri) for uri in uris]
    assert (folder / "property").read_text() == f"{len(LABELS)},112,96"
    assert not (folder / "_parts").exists()


def test_each_split_is_a_pack_of_its_own(cleaned: Cleaned, source: Storage, tmp_path: Path) -> None:
    export_recordio(export(cleaned, source, halves=True), Storage(str(tmp_path)))
    folder = tmp_path / "recordio"
    counts = {split: len(records(folder, split)) for split in ("train", "test")}
    assert counts == {"train": 7, "test": 7}
    assert sorted(file.name for file in folder.iterdir()) == [
        "_SUCCESS",
        "manifest.csv",
        *(f"{split}.{suffix}" for split in ("test", "train") for suffix in ("idx", "lst", "rec")),
    ]


def test_labels_that_float32_does_not_know_are_refused(cleaned: Cleaned, source: Storage, tmp_path: Path) -> None:
    many = Cleaned(cleaned.withColumn("label", F.col("label") + F.lit(2**24 - 5)))
    with pytest.raises(ContractError, match="exact up to 16777216, but there are labels up to 16777220"):
        export_recordio(export(many, source), Storage(str(tmp_path)))


def test_an_empty_table_is_an_empty_pack(cleaned: Cleaned, source: Storage, tmp_path: Path) -> None:
    nobody = Cleaned(cleaned.where("false"))
    assert export_recordio(export(nobody, source), Storage(str(tmp_path))) == 0
    assert (tmp_path / "recordio/train.rec").read_bytes() == b""
    assert (tmp_path / "recordio/_SUCCESS").exists()

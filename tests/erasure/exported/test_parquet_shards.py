"""Shards of Hugging Face lose the subject's rows, and all of them the names that nobody else bears."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from packed_exports import ANN, STAYING

from facesieve.erasure.exported.manifest import Manifest
from facesieve.erasure.exported.own_files import NOT_WHOLE
from facesieve.erasure.exported.parquet_shards import nameless, take_from_parquet
from facesieve.erasure.subject import Subject
from facesieve.images.storage import Storage
from facesieve.publish.shards.image_struct import schema_of


def take(target: Storage, subject: Subject) -> list[Path]:
    folder = target.child("huggingface")
    take_from_parquet(folder, Manifest.read(folder, subject), subject)
    return sorted((Path(target.root) / "huggingface/data").iterdir())


def names(file: Path) -> list[str]:
    described = json.loads(pq.read_schema(file).metadata[b"huggingface"])
    return list(described["info"]["features"]["label"]["names"])


def test_rows_and_names_go_and_the_rest_is_as_it_was(target: Storage) -> None:
    for _ in range(2):  # the second time as after a kill
        files = take(target, ANN)
    assert [names(file) for file in files] == [["erased-0", "bob", "cid"]] * 3
    rows = [row for file in files for row in pq.read_table(file).to_pylist()]
    assert [(row["image"]["bytes"], row["label"], row["image_id"], row["uri"]) for row in rows] == [
        (each.content, each.label, each.image, each.uri) for each in STAYING
    ]
    assert not any(b"ann" in file.read_bytes() for file in files)
    assert pq.read_schema(files[0]).names == schema_of(["x"]).names


def test_a_name_that_others_bear_stays_and_so_do_shards_without_the_subject(target: Storage) -> None:
    before = {file.name: file.read_bytes() for file in (Path(target.root) / "huggingface/data").iterdir()}
    files = take(target, Subject(images=(3,)))
    changed = {file.name for file in files if file.read_bytes() != before[file.name]}
    assert changed == {"train-00000-of-00003.parquet"}
    assert names(files[0]) == ["ann", "bob", "cid"]


def test_foreign_files_beside_the_shards_stay(target: Storage) -> None:
    target.write("huggingface/data/notes.txt", b"mine")
    pq.write_table(pa.table({"image_id": [1]}), Path(target.root) / "huggingface/data/notes.parquet")
    assert [file.name for file in take(target, ANN)][:2] == ["notes.parquet", "notes.txt"]
    assert target.read("huggingface/data/notes.txt") == b"mine"
    assert pq.read_table(Path(target.root) / "huggingface/data/notes.parquet").num_rows == 1


@pytest.mark.parametrize("described", ["[]", '{"info": {"features": {"label": {"names": null}}}}', "{"])
def test_a_shard_that_describes_itself_oddly_is_an_error(target: Storage, described: str) -> None:
    schema = schema_of(["ann"]).with_metadata({"huggingface": described})
    with pytest.raises(NOT_WHOLE):
        nameless(schema, [0])
    target.write("huggingface/data/train-00000-of-00003.parquet", b"PAR1" + b"\xff" * 90 + b"PAR1")
    with pytest.raises(NOT_WHOLE):
        take(target, ANN)


def test_every_name_stays_the_only_one() -> None:
    schema = nameless(schema_of(["ann", "erased-0", "bob"]), [0])
    assert json.loads(schema.metadata[b"huggingface"])["info"]["features"]["label"]["names"] == [
        *("erased-0-", "erased-0", "bob")
    ]

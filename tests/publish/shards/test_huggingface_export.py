"""The Hugging Face export, read by pyarrow, and by `datasets` itself where that is installed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import datasets  # type: ignore[import-untyped]
import pyarrow.parquet as pq
import pytest
from exported import LABELS, PLACES, content
from exporting import export, twice

from facesieve.core.tables import Cleaned
from facesieve.images.storage import Storage
from facesieve.publish.exports import claim, write_labels
from facesieve.publish.shards.exporting import Export
from facesieve.publish.shards.huggingface_export import export_huggingface


@pytest.fixture(scope="module")
def folder(cleaned: Cleaned, source: Storage, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("huggingface")
    assert exported(export(twice(cleaned), source, halves=True, edition=str(root)), root) == len(PLACES) + 2
    return root / "huggingface"


def exported(export: Export, root: Path) -> int:
    claim(Storage(str(root)))
    write_labels(export.cleaned, Storage(str(root)))
    return export_huggingface(export, Storage(str(root)))


def rows(folder: Path, split: str) -> list[dict[str, Any]]:
    return [row for file in sorted(folder.glob(f"data/{split}-*")) for row in pq.read_table(file).to_pylist()]


def test_rows_are_the_images_with_the_labels_of_the_table(folder: Path) -> None:
    every = rows(folder, "train") + rows(folder, "test")
    assert len(every) == len(PLACES) + 1
    assert all(row["image"]["bytes"] == content(row["uri"]) for row in every)
    alone = {row["uri"]: row["label"] for row in every if row["uri"] != "b/y.jpg"}
    assert alone == {uri: LABELS[identity] for uri, identity in PLACES.items() if uri != "b/y.jpg"}
    assert {row["label"] for row in every if row["uri"] == "b/y.jpg"} == {LABELS["Ann"], LABELS["cluster-7"]}


def test_files_bear_the_names_of_the_labels_and_their_own_by_split(folder: Path) -> None:
    files = sorted(file.name for file in folder.glob("data/*"))
    assert files == [f"{split}-{at:05d}-of-00003.parquet" for split in ("test", "train") for at in range(3)]
    for file in files:
        described = json.loads(pq.read_schema(folder / "data" / file).metadata[b"huggingface"])
        names = described["info"]["features"]["label"]["names"]
        assert {name: at for at, name in enumerate(names)} == LABELS
    card = (folder / "README.md").read_text()
    assert 'split: train\n    path: "data/train-*"\n  - split: test\n    path: "data/test-*"\n---' in card


def test_an_empty_table_is_an_empty_data_set(cleaned: Cleaned, source: Storage, tmp_path: Path) -> None:
    empty = export(Cleaned(cleaned.where("false")), source, edition=str(tmp_path))
    assert exported(empty, tmp_path) == 0
    table = pq.read_table(tmp_path / "huggingface/data/train-00000-of-00001.parquet")
    assert (len(table), table.column_names[:2]) == (0, ["image", "label"])


def test_datasets_loads_it(folder: Path, tmp_path: Path) -> None:
    loaded = datasets.load_dataset(str(folder), cache_dir=str(tmp_path))
    assert {split: len(part) for split, part in loaded.items()} == {"train": 7, "test": 8}
    assert loaded["train"].features["label"].names == sorted(LABELS, key=LABELS.__getitem__)

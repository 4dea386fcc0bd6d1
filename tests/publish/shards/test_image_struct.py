"""A shard of a Hugging Face data set: what pyarrow reads, and what the metadata say."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from facesieve.images.storage import Storage
from facesieve.publish.shards import image_struct
from facesieve.publish.shards.image_struct import ParquetForm

NAMES = ["Ann", 'Bob, "the\nsecond"']


def written(folder: Path, suffix: str = "") -> pq.ParquetFile:
    (folder / "labels.csv").write_text('label,identity,images\n1,"Bob, ""the\nsecond""",1\n0,Ann,2\n')
    file = io.BytesIO()
    with ParquetForm(Storage(str(folder)), str(folder), suffix)(file, "x") as shard:
        for number in range(5):
            row: dict[str, Any] = {
                "label": number % 2,
                "uri": f"a/{number}.JPG",
                "image_id": number,
                "face_id": -number,
            }
            shard.add(row | {"sha256": "ab"}, b"content")
    return pq.ParquetFile(file)


def test_a_row_is_a_picture_its_label_and_its_ids(tmp_path: Path) -> None:
    rows = written(tmp_path).read().to_pylist()
    assert rows[3] == {
        "image": {"bytes": b"content", "path": "3.JPG"},
        "label": 1,
        "image_id": 3,
        "face_id": -3,
        "uri": "a/3.JPG",
        "sha256": "ab",
    }
    assert written(tmp_path, "png").read().to_pylist()[3]["image"]["path"] == "3.png"


def test_the_metadata_name_every_column_in_order_and_the_labels(tmp_path: Path) -> None:
    schema = written(tmp_path).schema_arrow
    features = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
    assert list(features) == schema.names
    assert features["image"] == {"_type": "Image"}
    assert features["label"] == {"_type": "ClassLabel", "names": NAMES}
    assert features["uri"] == {"_type": "Value", "dtype": "string"}


def test_row_groups_are_small_by_rows_and_by_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_struct, "_ROWS", 2)
    assert written(tmp_path).num_row_groups == 3
    monkeypatch.setattr(image_struct, "_BYTES", 1)
    assert written(tmp_path).num_row_groups == 5

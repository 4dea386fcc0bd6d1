"""Parquet data sets are read back with the tools that their readers would use."""

from __future__ import annotations

import csv
import zlib
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from exported import LABELS, PLACES, content

from facesieve.core.tables import Cleaned
from facesieve.images.storage import Storage
from facesieve.publish import parquet_export
from facesieve.publish.exports import write_labels
from facesieve.publish.image_files import with_bytes
from facesieve.publish.parquet_export import export_parquet


def test_parquet_is_a_plain_data_set_in_buckets(cleaned: Cleaned, source: Storage, tmp_path: Path) -> None:
    (tmp_path / ".facesieve").write_bytes(b"")
    (tmp_path / "parquet" / "bucket=9").mkdir(parents=True)
    (tmp_path / "parquet" / "bucket=9" / "old.parquet").write_bytes(b"of a run that was killed")
    assert export_parquet(with_bytes(cleaned, source.read), Storage(str(tmp_path)), 3) == len(PLACES)
    assert (tmp_path / "parquet" / "_SUCCESS").exists()
    rows = ds.dataset(tmp_path / "parquet", format="parquet", partitioning="hive").to_table().to_pylist()
    assert {row["uri"]: (row["identity"], row["bytes"]) for row in rows} == {
        uri: (identity, content(uri)) for uri, identity in PLACES.items()
    }
    assert all(row["bucket"] == zlib.crc32(row["identity"].encode()) % 3 for row in rows)
    assert [row["image_id"] for row in sorted(rows, key=lambda row: row["vector"])] == list(range(len(PLACES)))
    assert all(row["label"] == LABELS[row["identity"]] for row in rows)


def test_a_table_of_labels_counts_images(cleaned: Cleaned, tmp_path: Path) -> None:
    write_labels(cleaned, Storage(str(tmp_path)))
    with (tmp_path / "labels.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    count = Counter(PLACES.values())
    assert [(int(row["label"]), row["identity"], int(row["images"])) for row in rows] == [
        (number, name, count[name]) for name, number in LABELS.items()
    ]


def test_a_bucket_is_cut_into_files_of_bounded_size(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(parquet_export, "_FILE_BYTES", 1)
    batches = [pa.record_batch({"bucket": pa.array(part), "n": pa.array(part)}) for part in ([0, 0], [0, 2, 2], [2, 5])]
    written = list(parquet_export._write_buckets(batches, Storage(str(tmp_path))))
    files = {str(f.relative_to(tmp_path)): pq.read_table(f)["n"].to_pylist() for f in tmp_path.rglob("*.parquet")}
    assert files == {
        "bucket=0/part-00000.parquet": [0, 0],
        "bucket=0/part-00001.parquet": [0],
        "bucket=2/part-00000.parquet": [2, 2],
        "bucket=2/part-00001.parquet": [2],
        "bucket=5/part-00000.parquet": [5],
    }
    assert len(written) == len(files)

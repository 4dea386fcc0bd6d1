"""A shard of a Hugging Face data set: Parquet with a struct of bytes and path for the picture, and a ClassLabel.

What the columns are to `datasets` stands in the metadata of the file, under the key `huggingface`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from facesieve.images.storage import Storage
from facesieve.publish.face_crops import Row
from facesieve.publish.file_names import base, crop
from facesieve.publish.shards.names import names_by_label
from facesieve.publish.shards.writing import Shard

_ROWS, _BYTES = 100, 32 * 2**20
"""A row group is closed at so many rows or bytes, so that readers of a part hold little."""

_IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
_COLUMNS = {
    "image_id": pa.int64(),
    "face_id": pa.int64(),
    "uri": pa.string(),
    "sha256": pa.string(),
}
_VALUES = {pa.int64(): "int64", pa.string(): "string"}


@dataclass(frozen=True)
class ParquetForm:
    """Begins shards. labels: where labels.csv is, from which tasks read the names of the ClassLabel; and its edition.

    suffix: of faces that are cut out; empty where pictures are the files themselves.
    """

    labels: Storage
    edition: str
    suffix: str = ""

    @contextmanager
    def __call__(self, file: IO[bytes], path: str) -> Iterator[Shard]:
        """Begin a shard in a local file."""
        schema = schema_of(names_by_label(self.labels, self.edition))
        with pq.ParquetWriter(file, schema, compression="zstd", use_dictionary=False) as writer:
            shard = _Parquet(writer, schema, self.suffix)
            yield shard
            shard.flush()


def schema_of(names: Sequence[str]) -> pa.Schema:
    """Return the columns of a shard, with what they are to `datasets`."""
    features: dict[str, dict[str, Any]] = {
        "image": {"_type": "Image"},
        "label": {"names": list(names), "_type": "ClassLabel"},
        **{name: {"dtype": _VALUES[kind], "_type": "Value"} for name, kind in _COLUMNS.items()},
    }
    described = json.dumps({"info": {"features": features}}, ensure_ascii=False)
    columns = pa.schema([("image", _IMAGE), ("label", pa.int64()), *_COLUMNS.items()])
    return columns.with_metadata({"huggingface": described})


@dataclass
class _Parquet:
    writer: pq.ParquetWriter
    schema: pa.Schema
    suffix: str
    rows: list[Row] = field(default_factory=list)
    size: int = 0

    def add(self, sample: Row, content: bytes) -> None:
        """Write a row: the picture, its label and its ids."""
        name = crop(sample["uri"], self.suffix) if self.suffix else base(sample["uri"])
        image = {"bytes": content, "path": name}
        self.rows.append({"image": image, "label": sample["label"], **{name: sample[name] for name in _COLUMNS}})
        self.size += len(content)
        if len(self.rows) == _ROWS or self.size >= _BYTES:
            self.flush()

    def flush(self) -> None:
        """Write the rows that wait, as a row group."""
        if self.rows:
            self.writer.write_table(pa.Table.from_pylist(self.rows, self.schema))
        self.rows, self.size = [], 0

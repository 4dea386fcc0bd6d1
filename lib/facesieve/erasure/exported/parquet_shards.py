"""Shards of the export `huggingface` without the rows of a subject, and without the subject's names.

The names of a ClassLabel stand in the metadata of every shard, whoever is in it, and their order tells the labels. So
a name that nobody else bears becomes one that tells nothing, in all shards.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from facesieve.erasure.exported.manifest import Manifest
from facesieve.erasure.exported.own_files import Watched, as_its_form, is_own, names_in, opened
from facesieve.erasure.subject import Subject
from facesieve.images.storage import Storage
from facesieve.publish.exports import whole_file

_DATA = "data"
_FEATURES = b"huggingface"
"""The key of the metadata under which `datasets` looks."""


def take_from_parquet(folder: Storage, manifest: Manifest, subject: Subject) -> None:
    """Write the shards anew that hold rows of the subject, or a name that only the subject bears. Raises OSError.

    Raises one of NOT_WHOLE if a shard is lost or not whole.
    """
    gone = manifest.labels
    paths = (f"{_DATA}/{name}" for name in (names_in(folder, _DATA) if gone else ()))
    every = (path for path in paths if is_own("huggingface", path))
    images = pa.array(subject.images, pa.int64())
    for path in sorted({*every, *manifest.paths}):
        with opened(folder, path) as file:
            _write_anew(folder, path, Watched(file), images, gone)


def _write_anew(folder: Storage, path: str, shard: Watched, images: pa.Array, gone: Collection[int]) -> None:
    with as_its_form(shard):
        former = pq.ParquetFile(shard)
    schema = nameless(former.schema_arrow, gone)
    writing = partial(pq.ParquetWriter, schema=schema, compression="zstd", use_dictionary=False)
    with whole_file(folder, path) as file, writing(file) as writer:
        for group in range(former.num_row_groups):
            with as_its_form(shard):
                rows = former.read_row_group(group)
            staying = rows.filter(pc.invert(pc.is_in(rows["image_id"], images)))
            if len(staying):
                writer.write_table(staying.cast(schema))


def nameless(schema: pa.Schema, labels: Collection[int]) -> pa.Schema:
    """Return the schema of a shard with names that tell nothing for some labels; each name stays the only one."""
    metadata = schema.metadata or {}
    if _FEATURES not in metadata:
        return schema
    described = json.loads(metadata[_FEATURES])
    names = described["info"]["features"]["label"]["names"]
    for label in labels:
        names[label] = _free(f"erased-{label}", {name for at, name in enumerate(names) if at != label})
    return schema.with_metadata({**metadata, _FEATURES: json.dumps(described, ensure_ascii=False)})


def _free(name: str, names: Collection[str]) -> str:
    """Return the name; longer where somebody is called so."""
    while name in names:
        name += "-"
    return name

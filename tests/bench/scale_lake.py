"""A lake of folders at scale (`folders_at_scale`): the tables before decide, written by Spark, without images.

python tests/bench/scale_lake.py LAKE IMAGES
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import folders_at_scale as at_scale
import numpy as np
import pyarrow as pa
from bench_environment import CONFIG, ROOT
from folders_at_scale import PER_FOLDER, Folders, Pairs
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from synthetic import face_ids

from facesieve.core import config, profiles, tables
from facesieve.embed.perceptual_hash import VIEW_BYTES, VIEWS
from facesieve.lake import session
from facesieve.lake.catalog import Lake, Stamp

BLOCK = 500
"""Folders drawn at once: 10,000 images."""
BATCH = 2_000
_HASHES = 8
SCOPES = ("identity", "global")

Make = Callable[[range], Iterator[dict[str, Any]]]


def settings(root: Path) -> dict[str, object]:
    """Configuration keys of a job that works on such a lake."""
    return {"lake.root": root, "images.root": "/nowhere", "embed.detector": "aligned", "link.scope": "both"}


def main(root: Path, images: int, *, edges: bool = True) -> None:
    """Write listing, embeddings, rejects (empty), edges, epochs (the cosines alone) and clusters of both scopes."""
    asked = config.load(CONFIG, (), [f"{key}={value}" for key, value in settings(root).items()])
    spark = session.start(asked.lake)
    model = profiles.model_id(profiles.load("facenet", str(ROOT / "conf/models")), asked.embed)
    folders, lake = Folders(max(2, images // PER_FOLDER)), Lake(spark, asked.lake)
    stamp = Stamp("scale", f"{folders.images} images of seed {folders.seed}", {})
    made = {
        tables.EMBEDDINGS: frame(spark, folders, tables.EMBEDDINGS, partial(_embeddings, folders, model)),
        **({tables.EDGES: frame(spark, folders, tables.EDGES, partial(_edges, folders))} if edges else {}),
        tables.CLUSTERS: frame(spark, folders, tables.CLUSTERS, partial(_clusters, folders)),
        tables.REJECTS: spark.createDataFrame([], tables.REJECTS.columns),
        tables.EPOCHS: spark.createDataFrame([_epoch(folders)], tables.EPOCHS.columns),
    }
    for table, rows in made.items():
        lake.overwrite(table, rows, stamp, lake.open(table))
    embedded = lake.read(tables.EMBEDDINGS, lake.snapshot(tables.EMBEDDINGS))
    lake.overwrite(tables.LISTING, _listing(embedded), stamp, lake.open(tables.LISTING))
    session.clear_scratch(spark)


def frame(spark: SparkSession, folders: Folders, table: tables.Table, make: Make) -> DataFrame:
    """Return the rows that `make` gives block by block, drawn by the tasks."""
    blocks = -(-folders.folders // BLOCK)
    numbers = spark.range(0, blocks, 1, max(1, min(blocks, 4 * (blocks // 40 + 1))))
    return numbers.mapInArrow(partial(_rows, folders, table.columns.names, make), table.columns)


def _rows(
    folders: Folders, names: list[str], make: Make, batches: Iterable[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """Rows of the blocks whose numbers come in; columns that are not made are null."""
    for batch in batches:
        for number in batch["id"].to_pylist():
            block = range(number * BLOCK, min((number + 1) * BLOCK, folders.folders))
            for made in make(block):
                count = len(next(iter(made.values())))
                columns = [made.get(name, pa.nulls(count)) for name in names]
                for start in range(0, count, BATCH):
                    yield pa.RecordBatch.from_arrays([pa.array(one[start : start + BATCH]) for one in columns], names)


def _embeddings(folders: Folders, model: str, block: range) -> Iterator[dict[str, Any]]:
    numbers = np.arange(block.start * PER_FOLDER, block.stop * PER_FOLDER)
    vectors = np.concatenate([folders.vectors(folder) for folder in block])
    count = len(numbers)
    same = numbers - folders.copies[numbers]
    side = pa.array(np.full(count, 145.0, np.float32))
    text = [f"person-{number // PER_FOLDER:07d}/{number % PER_FOLDER:02d}.jpg" for number in numbers.tolist()]
    yield {
        "face_id": at_scale.faces(numbers),
        "image_id": face_ids(numbers),
        "uri": pa.array(text),
        "sha256": pa.array([f"{number:064x}" for number in same.tolist()]),
        "face_rank": np.zeros(count, np.int32),
        "box": pa.StructArray.from_arrays([side] * 4, ["x", "y", "width", "height"]),
        "confidence": np.ones(count, np.float32),
        "sharpness": np.full(count, 100, np.float32),
        "reasons": _lists(np.zeros(count + 1, np.int32), pa.array([], pa.string())),
        "vector": _lists(np.arange(0, vectors.size + 1, vectors.shape[1]), pa.array(vectors.ravel())),
        "model": pa.array([model] * count),
        "image_width": np.full(count, 250, np.int32),
        "image_height": np.full(count, 250, np.int32),
        "phash": pa.array(_hashes(folders, numbers)),
    }


def _lists(offsets: np.ndarray, values: pa.Array) -> pa.ListArray:
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values)


def _hashes(folders: Folders, numbers: np.ndarray) -> list[bytes]:
    """Hashes, each view much like the whole; a copy has those of the image before, a near copy but 2 bits."""
    random = np.random.default_rng((folders.seed, _HASHES, int(numbers[0])))
    wholes = random.integers(0, 256, (len(numbers), 1, VIEW_BYTES), np.uint8)
    changed = np.bitwise_and.reduce(random.integers(0, 256, (4, len(numbers), len(VIEWS), VIEW_BYTES), np.uint8))
    changed[:, 0] = 0
    views = wholes ^ changed
    copy, near = np.flatnonzero(folders.copies[numbers]), np.flatnonzero(folders.near_copies[numbers])
    views[copy], views[near] = views[copy - 1], views[near - 1]
    views[near, :, 0] ^= 0b1001
    return [row.tobytes() for row in views]


def _edges(folders: Folders, block: range) -> Iterator[dict[str, Any]]:
    within = folders.within(block).above(at_scale.FOLDER_LINK)
    yield _edge_rows(within, "identity", same_identity=True)
    yield _edge_rows(within.above(at_scale.LINK), "global", same_identity=True)
    yield _edge_rows(folders.across(block).above(at_scale.LINK), "global", same_identity=False)
    yield _edge_rows(folders.impostor_pairs(block), "global", same_identity=False)


def _edge_rows(pairs: Pairs, scope: str, *, same_identity: bool) -> dict[str, Any]:
    one, other = at_scale.faces(pairs.one), at_scale.faces(pairs.other)
    count = len(one)
    return {
        "scope": pa.array([scope] * count, pa.string()),
        "src": np.minimum(one, other),
        "dst": np.maximum(one, other),
        "cosine": pairs.cosine,
        "same_identity": np.full(count, same_identity),
    }


def _clusters(folders: Folders, block: range) -> Iterator[dict[str, Any]]:
    numbers = np.arange(block.start * PER_FOLDER, block.stop * PER_FOLDER)
    for scope in SCOPES:
        names, sizes, medoids = (column[numbers] for column in folders.clusters(scope))
        yield {
            "scope": pa.array([scope] * len(numbers)),
            "face_id": at_scale.faces(numbers),
            "cluster_id": names,
            "cluster_size": sizes,
            "cohesion": np.where(sizes > 1, 0.88, 1.0).astype(np.float32),
            "medoid": medoids,
            "settled": np.ones(len(numbers), bool),
            "attached": np.zeros(len(numbers), bool),
        }


def _epoch(folders: Folders) -> tuple[Any, ...]:
    cosines = {"identity": at_scale.FOLDER_LINK, "global": at_scale.LINK}
    settings = {"made_of": "", "faces": folders.images, "cosines": cosines, "probes": 1, "margin": 1.0}
    return ("scale", "settings", json.dumps(settings | {"told": {}, "dimension": 0}), *[None] * 6)


def _listing(embedded: DataFrame) -> DataFrame:
    listed = {
        "identity": F.substring_index("uri", "/", 1),
        "size": F.lit(20_000).cast("bigint"),
        "modified": F.timestamp_seconds(F.lit(0)),
    }
    return embedded.withColumns(listed).select(*tables.LISTING.columns.names)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))

"""The parts of a split's records made one file: parts follow each other, and offsets count from its beginning."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

import pyarrow as pa
from pyspark.sql import SparkSession

from facesieve.images.storage import Storage
from facesieve.publish.exports import Batches, counted, pieces_of, total, whole_file
from facesieve.publish.shards.records import index_of


def part_name(split: str, shard: int) -> str:
    """Return the name of a part among the parts."""
    return f"{split}-{shard:06d}.rec"


def join_records(spark: SparkSession, shards: Mapping[str, int], parts: Storage, folder: Storage) -> int:
    """Make SPLIT.rec and SPLIT.idx of the parts of each split; return how many records there are.

    shards: how many parts a split has. A task joins a split: it holds a piece of a part at a time.
    """
    rows = spark.sparkContext.parallelize(sorted(shards.items()), max(1, len(shards)))
    work = spark.createDataFrame(rows, "split string, shards bigint")
    return total(work.mapInArrow(partial(_join, parts=parts, folder=folder), "rows bigint"))


def _join(batches: Batches, parts: Storage, folder: Storage) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        for row in batch.to_pylist():
            names = [part_name(row["split"], shard) for shard in range(row["shards"])]
            whole = f"{row['split']}.rec"
            folder.write_pieces(whole, partial(_pieces, parts, names))
            yield counted(_join_indexes(parts, names, folder, index_of(whole)))


def _pieces(parts: Storage, names: list[str]) -> Iterator[bytes]:
    for name in names:
        yield from pieces_of(parts, name)


def _join_indexes(parts: Storage, names: list[str], folder: Storage, whole: str) -> int:
    records, start = 0, 0
    with whole_file(folder, whole) as file:
        for name in names:
            lines = parts.read(index_of(name)).decode("ascii").splitlines()
            for number, offset in (line.split("\t") for line in lines):
                file.write(f"{number}\t{start + int(offset)}\n".encode("ascii"))
            start, records = start + parts.info(name).size, records + len(lines)
    return records

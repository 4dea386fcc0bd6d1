"""Parts of records made one file: offsets count from its beginning."""

from __future__ import annotations

from pathlib import Path

from pyspark.sql import SparkSession
from trainers import records

from facesieve.images.storage import Storage
from facesieve.publish.shards.joined_records import join_records, part_name
from facesieve.publish.shards.records import RecordForm


def test_parts_follow_each_other_in_each_split(spark: SparkSession, tmp_path: Path) -> None:
    parts, folder = Storage(str(tmp_path / "parts")), Storage(str(tmp_path / "whole"))
    contents = {"train": [[b"a", b"bb"], [b"ccc"], [b"dddd", b""]], "test": [[b"e"]]}
    for split, shards in contents.items():
        number = 0
        for shard, images in enumerate(shards):
            name = part_name(split, shard)
            (tmp_path / "parts").mkdir(exist_ok=True)
            with (tmp_path / "parts" / name).open("wb") as file, RecordForm(parts)(file, name) as part:
                for image in images:
                    part.add({"number": number, "label": 3}, image)
                    number += 1
    assert join_records(spark, {split: len(shards) for split, shards in contents.items()}, parts, folder) == 6
    for split, shards in contents.items():
        read = records(tmp_path / "whole", split)
        assert [record.content for record in read] == [image for images in shards for image in images]
        assert [record.number for record in read] == list(range(len(read)))

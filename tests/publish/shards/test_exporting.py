"""What exports of shards share: the manifest names the shard of each row, and shards are counted by split."""

from __future__ import annotations

import csv
from pathlib import Path

from exported import PLACES
from exporting import export, twice
from pyspark.sql import functions as F

from facesieve.core.tables import Cleaned
from facesieve.images.storage import Storage
from facesieve.publish.shards.exporting import MANIFEST, by_split, write_manifest


def test_a_manifest_has_each_row_of_the_table(cleaned: Cleaned, source: Storage, tmp_path: Path) -> None:
    work = export(twice(cleaned), source, halves=True)
    rows = work.numbered()
    assert work.shards(rows) == {"train": 3, "test": 3}
    path = by_split({"train": F.format_string("a-%d", "shard"), "test": F.lit("b")})
    assert write_manifest(rows, path, Storage(str(tmp_path))) == len(PLACES) + 2
    with (tmp_path / "manifest.csv").open(newline="", encoding="utf-8") as file:
        written = list(csv.DictReader(file))
    assert tuple(written[0]) == MANIFEST
    assert {(row["split"], row["path"]) for row in written} == {
        ("test", "b"),
        *(("train", f"a-{at}") for at in range(3)),
    }

"""What the verb embed says of the images since the last listing."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tiny_model
from PIL import Image
from publishing import Shop
from pyspark.sql import SparkSession

from facesieve.core import tables
from facesieve.core.profiles import Crop
from facesieve.embed.step import embed
from facesieve.images import parquet
from facesieve.images.parquet_files import ParquetFile
from facesieve.images.parquet_rows import Part, parts

SIDE = tiny_model.SIDE


@pytest.mark.long
def test_a_listing_of_fewer_rows_than_the_footers_tell_is_refused(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """One of three row groups gets lost between the list of files and the tasks that read them."""

    def all_but_one(files: Iterable[ParquetFile]) -> Iterable[Part]:
        return list(parts(files))[:-1]

    shop = Shop(spark, tmp_path)
    _three_row_groups(shop.images)
    model = tiny_model.profile_file(tiny_model.written(tmp_path, Crop(SIDE, SIDE / 2, SIDE / 2)), tmp_path)
    sets = ("images.format=parquet", "embed.detector=aligned", f"embed.model={model}")
    monkeypatch.setattr(parquet, "parts", all_but_one)
    assert shop.run("lost", embed, sets=sets) == 2
    assert "3 rows by the footers, 2 were listed" in capfd.readouterr().err
    written = shop.lake.read(tables.LISTING, shop.lake.snapshot(tables.LISTING))
    assert written.isEmpty(), "no listing is written that lacks images"
    monkeypatch.undo()
    assert shop.run("whole", embed, sets=sets) == 0
    assert shop.record("whole")["stages"]["listing"]["rows_out"] == 3


def _three_row_groups(folder: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, SIDE, SIDE, 3), np.uint8)
    for number, each in enumerate(pixels):
        Image.fromarray(each).save(folder.parent / f"{number}.png")
    contents = [(folder.parent / f"{number}.png").read_bytes() for number in range(3)]
    table = pa.table({"uri": ["a", "b", "c"], "bytes": contents, "identity": ["Ann", "Ann", "Bob"]})
    pq.write_table(table, folder / "a.parquet", row_group_size=1)

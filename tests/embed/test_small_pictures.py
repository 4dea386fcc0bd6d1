from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyspark.sql import SparkSession
from scenes import encoded, scene

from facesieve.core.sections import Embed, Images
from facesieve.embed.picture import Picture
from facesieve.embed.small_pictures import SIDE, SMALL_PICTURES, WANTED, Wanted, shrink, small_pictures
from facesieve.images.sources import source

CONTENTS = {
    "a/1.jpg": encoded(scene(1)),
    "a/2.jpg": encoded(scene(2, 900, 300)),
    "b/changed.jpg": encoded(scene(3)),
    "b/text.jpg": b"no image",
}


def pictures(spark: SparkSession, images: Images) -> dict[int, Any]:
    names = [*CONTENTS, "b/gone.jpg"]
    digests = [hashlib.sha256(content).hexdigest() for content in CONTENTS.values()] + ["0" * 64]
    digests[2] = hashlib.sha256(b"what it was").hexdigest()
    rows = [(number, name, digest) for number, (name, digest) in enumerate(zip(names, digests, strict=True))]
    frame = small_pictures(Wanted(spark.createDataFrame(rows, WANTED)), source(images), Embed())
    assert frame.columns == SMALL_PICTURES.names
    return {row.image_id: row for row in frame.collect()}


def test_listed_content_is_read_and_what_is_not_had_has_no_picture(spark: SparkSession, tmp_path: Path) -> None:
    for name, content in CONTENTS.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    rows = pictures(spark, Images(root=str(tmp_path)))
    assert [rows[number].small is None for number in range(5)] == [False, False, True, True, True]
    assert (rows[0].width, len(rows[0].small)) == (256, 256 * 205)
    assert (rows[1].width, len(rows[1].small)) == (256, 256 * 85)


def test_content_of_a_parquet_set_is_read_alike(spark: SparkSession, tmp_path: Path) -> None:
    spark.createDataFrame(list(CONTENTS.items()), "uri string, bytes binary").write.parquet(str(tmp_path / "set"))
    rows = pictures(spark, Images(root=str(tmp_path / "set"), format="parquet"))
    assert [rows[number].small is None for number in range(5)] == [False, False, True, True, True]


@pytest.mark.parametrize(("size", "shape"), [((40, 30), (30, 40)), ((1024, 2), (1, SIDE)), ((300, 512), (SIDE, 150))])
def test_pictures_are_shrunk_and_never_enlarged(size: tuple[int, int], shape: tuple[int, int]) -> None:
    red = Picture(np.tile(np.array([200, 0, 0], np.uint8), (size[1], size[0], 1)), *size)
    grey = shrink(red)
    assert grey.shape == shape
    assert (grey == 60).all()

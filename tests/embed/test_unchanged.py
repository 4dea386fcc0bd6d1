"""A source that has not changed is not listed again; whatever its listing comes from makes it be listed."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import tiny_model
from PIL import Image
from publishing import Shop
from pyspark.sql import SparkSession

from facesieve.core.profiles import Crop
from facesieve.embed import step
from facesieve.embed.step import embed
from facesieve.lake.records import ListingRecord

SIDE = tiny_model.SIDE


class Studio:
    """Two people's aligned pictures, and a lake that they are embedded into."""

    def __init__(self, spark: SparkSession, place: Path) -> None:
        self.shop = Shop(spark, place)
        self.runs = 0
        self._model = tiny_model.profile_file(tiny_model.written(place, Crop(SIDE, SIDE / 2, SIDE / 2)), place)
        for number, name in enumerate(("Ann/1.png", "Ann/2.png", "Bob/1.png")):
            self.draw(name, number)

    def draw(self, name: str, seed: int) -> None:
        path = self.shop.images / name
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(np.random.default_rng(seed).integers(0, 256, (SIDE, SIDE, 3), np.uint8)).save(path)

    def embed(self, *sets: str) -> ListingRecord:
        self.runs += 1
        name = f"r{self.runs}"
        every = ("embed.detector=aligned", f"embed.model={self._model}", *sets)
        assert self.shop.run(name, embed, sets=every) == 0
        return ListingRecord.from_json(self.shop.record(name)["stages"]["listing"])


@pytest.fixture
def studio(spark: SparkSession, tmp_path: Path) -> Studio:
    return Studio(spark, tmp_path)


def test_an_unchanged_source_is_not_listed_again(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    (studio.shop.images / "notes.txt").write_text("no image")
    (studio.shop.images / "phone.heic").write_text("no image that is read")
    first = studio.embed()
    with monkeypatch.context() as patched:
        patched.setattr(step, "_list_and_embed", None)
        again = studio.embed()
    counts = (again.rows_in, again.rows_out, again.new, again.gone, again.changed, again.reused)
    assert counts == (3, 3, 0, 0, 0, True)
    assert (again.layout, again.left_out, again.warnings) == (first.layout, first.left_out, first.warnings)
    assert len(first.warnings) == 1
    assert list(first.warnings) == studio.shop.record("r2")["warnings"], "it is said in every run"
    studio.draw("Bob/2.png", 7)
    assert studio.embed().new == 1


@pytest.mark.long
def test_what_a_listing_comes_from_makes_it_be_listed(studio: Studio) -> None:
    assert studio.embed().state is not None
    assert not studio.embed("images.identity=none").reused
    assert studio.embed().reused
    assert studio.embed("embed.rehash=true").state is None
    picture = studio.shop.images / "Ann" / "1.png"
    os.utime(picture, ns=(10**18, 10**18))
    touched = studio.embed()
    assert (touched.changed, touched.rows_out) == (0, 3)
    studio.draw("Ann/1.png", 9)
    assert studio.embed().changed == 1
    picture.unlink()
    assert studio.embed().gone == 1


@pytest.mark.long
def test_after_an_image_that_could_not_be_read_the_source_is_read_again(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = studio.shop.images / "Ann" / "2.png"
    content = path.read_bytes()
    path.unlink()
    path.symlink_to(studio.shop.images / "not there yet.png")
    assert studio.embed().state is None
    path.unlink()
    path.write_bytes(content)
    assert studio.embed().changed == 1
    assert studio.embed().reused

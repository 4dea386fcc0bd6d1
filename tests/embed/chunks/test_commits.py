"""Chunks of images: each is a commit of its own, and none may lose an image in the workers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tiny_model
from PIL import Image
from publishing import Shop
from pyspark.sql import SparkSession

from facesieve.core import tables
from facesieve.core.profiles import Crop
from facesieve.embed import embeddings
from facesieve.embed.embeddings import Outcomes, ToEmbed
from facesieve.embed.step import embed
from facesieve.embed.worker import Plan

SIDE = tiny_model.SIDE


def test_what_an_interrupted_run_has_committed_stays_and_a_lost_image_is_seen(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    shop = Shop(spark, tmp_path)
    pixels = np.random.default_rng(0).integers(0, 256, (6, SIDE, SIDE, 3), np.uint8)
    for number, each in enumerate(pixels):
        Image.fromarray(each).save(shop.images / f"{number}.png")
    model = tiny_model.profile_file(tiny_model.written(tmp_path, Crop(SIDE, SIDE / 2, SIDE / 2)), tmp_path)
    sets = ("embed.detector=aligned", f"embed.model={model}", "embed.chunk_images=2", "images.identity=none")
    whole, calls = embeddings.embedded, list[int]()

    def without_one(images: ToEmbed, plan: Plan) -> Outcomes:
        rows = whole(images, plan)
        calls.extend(filter(None, [rows.count()]))
        return Outcomes(rows.limit(calls[-1] - 1)) if len(calls) == 2 else rows

    monkeypatch.setattr(embeddings, "embedded", without_one)
    assert shop.run("lost", embed, sets=sets) == 1
    assert f"{calls[1]} images were given to the workers, {calls[1] - 1} came back" in capfd.readouterr().err
    assert faces(shop) == calls[0]
    monkeypatch.undo()
    assert shop.run("again", embed, sets=sets) == 0
    assert faces(shop) == 6


def faces(shop: Shop) -> int:
    return shop.lake.read(tables.EMBEDDINGS, shop.lake.snapshot(tables.EMBEDDINGS)).count()

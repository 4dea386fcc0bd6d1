"""A whole run on vectors without images: what it decides, what it says, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import pytest
from publishing import Shop
from pyspark.sql import SparkSession
from vector_people import PROFILE

from facesieve.cluster.step import cluster
from facesieve.core import tables
from facesieve.decide.step import decide
from facesieve.embed.step import embed
from facesieve.link.step import link
from facesieve.publish.step import publish

STEPS = (embed, link, cluster, decide, publish)


def _people() -> tuple[npt.NDArray[np.float32], list[str]]:
    """Six vectors each of Ann and Bob, of length 3; among those of Ann one of Bob, a copy, and one of no numbers."""
    random = np.random.default_rng(3)
    centres = random.normal(size=(2, 16))
    vectors = np.repeat(centres, 6, axis=0) + random.normal(size=(12, 16)) / 5
    extra = np.stack([centres[1], vectors[0], np.full(16, np.nan)])
    every = np.concatenate([vectors, extra])
    lengths = np.linalg.norm(every, axis=1, keepdims=True) / 3
    return (every / lengths).astype(np.float32), ["Ann"] * 6 + ["Bob"] * 6 + ["Ann"] * 3


def _arguments(tmp_path: Path, *sets: str) -> tuple[str, ...]:
    profile = tmp_path / "mine.toml"
    profile.write_text(PROFILE)
    return (f"embed.model={profile}", "images.format=vectors", "publish.apply=true", *sets)


def test_vectors_are_sieved_as_faces_are(
    spark: SparkSession, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    shop = Shop(spark, tmp_path)
    vectors, people = _people()
    uris = [f"{person}/{number}.jpg" for number, person in enumerate(people)]
    np.savez(shop.images / "faces.npz", embeddings=vectors, labels=np.array(people), paths=np.array(uris))
    sets = _arguments(tmp_path, "publish.outputs=['parquet']")
    assert shop.run("first", *STEPS, sets=sets) == 0
    told = capfd.readouterr().err
    assert "14 of 15 vectors were not of unit length, and were scaled to it" in told
    assert "near duplicates, bursts, blurred and small faces need pictures" in told
    rows = shop.lake.read(tables.DECISIONS, shop.lake.snapshot(tables.DECISIONS)).collect()
    verdicts = {row.uri: (row.verdict, row.reasons) for row in rows}
    assert verdicts["Ann/12.jpg"][0] in ("move", "drop")
    assert "duplicate" in (verdicts["Ann/13.jpg"][1] + verdicts["Ann/0.jpg"][1])
    assert verdicts["Ann/14.jpg"] == ("fail", ["undecodable"])
    assert sum(verdict == "keep" for verdict, _ in verdicts.values()) == 12
    exported = pq.read_table(shop.export / "first/parquet")
    assert exported.num_rows == len(shop.cleaned()) >= 12
    lengths = np.linalg.norm(np.stack(exported["vector"].to_numpy()), axis=1)
    assert np.allclose(lengths, 1, atol=1e-6)
    assert shop.run("again", *STEPS, sets=sets) == 0
    stages = shop.record("again")["stages"]
    assert {name: stage["reused"] for name, stage in stages.items()} == dict.fromkeys(stages, True)


def test_what_needs_pictures_or_another_profile_is_refused(
    spark: SparkSession, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    shop = Shop(spark, tmp_path)
    np.save(shop.images / "faces.npy", np.ones((3, 512), np.float32))
    sets = _arguments(tmp_path, "publish.outputs=['folders']", "publish.bytes=true")
    assert shop.run("pictures", *STEPS, sets=sets) == 2
    told = capfd.readouterr().err
    assert 'publish.outputs: folders needs pictures, and images.format = "vectors" has none' in told
    assert "publish.bytes: needs pictures" in told
    assert shop.run("other", *STEPS, sets=_arguments(tmp_path)) == 2
    assert "the profile mine has 16 numbers a vector, images.root has 512" in capfd.readouterr().err
    assert shop.run("files", *STEPS, sets=(*_arguments(tmp_path), "images.format=files")) == 2
    assert "the profile mine is of vectors, without a model" in capfd.readouterr().err

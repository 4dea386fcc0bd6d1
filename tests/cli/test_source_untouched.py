"""The whole job on a small tree of images: through dry run, apply, undo and apply again the source stays as it was."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from publishing import Shop
from pyspark.sql import SparkSession

from facesieve.cli import main
from facesieve.cluster.step import cluster
from facesieve.core import tables
from facesieve.decide.step import decide
from facesieve.embed.step import embed
from facesieve.link.step import link
from facesieve.publish.step import publish

STEPS = (embed, link, cluster, decide, publish)
PEOPLE, IMAGES = ("ann", "bob"), 4
SETTINGS = (
    *("embed.detector=aligned", "link.scope=identity", "cluster.score=cosine", "decide.min_faces=2"),
    *("decide.near_bits=0", "decide.near_cosine=1", "publish.max_change=1"),
)
APPLY = ("publish.apply=true", 'publish.outputs=["parquet","folders"]')


@pytest.fixture
def shop(spark: SparkSession, facenet_weights: Path, tmp_path: Path) -> Shop:
    """A pattern per person, a little different in each image; files that are none; one file may not be written."""
    shop, noise = Shop(spark, tmp_path), np.random.default_rng(0)
    for person in PEOPLE:
        (shop.images / person).mkdir()
        pattern = np.kron(noise.uniform(0, 255, (8, 8, 3)), np.ones((32, 32, 1)))
        for number in range(IMAGES):
            pixels = np.clip(pattern + noise.normal(0, 12, pattern.shape), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(shop.images / person / f"{number}.png")
    (shop.images / "ann" / "broken.jpg").write_bytes(b"no image")
    (shop.images / "bob" / "empty.jpg").write_bytes(b"")
    (shop.images / "notes.txt").write_text("not mine")
    (shop.images / "ann" / "0.png").chmod(0o444)
    return shop


def _state(root: Path) -> dict[str, tuple[str, int, int]]:
    return {
        str(path.relative_to(root)): (
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
            path.stat().st_mtime_ns,
            path.stat().st_mode,
        )
        for path in (root, *root.rglob("*"))
    }


def _sieve(shop: Shop, name: str, *sets: str) -> dict[str, bool]:
    """Run the job; return which stages were reused."""
    assert main.main(STEPS, "", [*shop.arguments(*SETTINGS, *sets), "--run", name]) == 0
    return {stage: facts["reused"] for stage, facts in shop.record(name)["stages"].items()}


def test_source_is_untouched_by_dry_run_apply_undo_and_apply(shop: Shop) -> None:
    source = _state(shop.images)
    assert len(source) == 1 + 2 + len(PEOPLE) * IMAGES + 3
    assert not any(_sieve(shop, "dry").values())
    assert _state(shop.images) == source
    decided = shop.snapshots()

    assert [stage for stage, reused in _sieve(shop, "apply", *APPLY).items() if not reused] == ["publish"]
    assert _state(shop.images) == source
    published = shop.cleaned()
    assert {uri.split("/")[0] for uri in published} == set(published.values()) == set(PEOPLE)
    copies = [file for file in (shop.export / "apply/folders").rglob("*.png") if file.is_file()]
    assert len(copies) == len(published)

    assert shop.undo("apply") == 0
    assert _state(shop.images) == source
    assert (shop.cleaned(), shop.current()) == ({}, None)
    assert {**shop.snapshots(), "cleaned": None} == {**decided, "cleaned": None}
    assert shop.undo("dry") == 0
    assert _state(shop.images) == source
    assert shop.lake.read(tables.EMBEDDINGS, shop.lake.snapshot(tables.EMBEDDINGS)).count() == 0

    assert not any(_sieve(shop, "again", *APPLY).values()), "faces are embedded again, and all after that"
    assert _state(shop.images) == source
    assert (shop.cleaned(), shop.current()) == (published, "again")
    faces = shop.lake.read(tables.EMBEDDINGS, shop.lake.snapshot(tables.EMBEDDINGS))
    assert faces.count() == faces.select("face_id").distinct().count() == len(PEOPLE) * IMAGES

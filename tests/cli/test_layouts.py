"""One set of images in ten layouts: no image is lost on the way, and the verdicts are those of the plain layout."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import layouts
import numpy as np
import pytest
import tiny_model
from _pytest.mark import ParameterSet
from layouts import LAYOUTS, Layout, People
from PIL import Image
from publishing import Shop
from pyspark.sql import SparkSession

from facesieve.cli import main
from facesieve.cluster.step import cluster
from facesieve.core import tables
from facesieve.core.profiles import Crop
from facesieve.decide.step import decide
from facesieve.embed.step import embed
from facesieve.link.step import link

STEPS = (embed, link, cluster, decide)
SIDE = 64
SETTINGS = (
    *("embed.detector=aligned", "link.scope=identity", "link.threshold_identity=0.8", "cluster.score=cosine"),
    *("decide.min_faces=2", "decide.near_bits=0", "decide.near_cosine=1"),
)
Verdicts = dict[str, tuple[str, str | None]]


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> People:
    """A pattern per person, a little different in each image; one image of Ann shows somebody else."""
    root, noise = tmp_path_factory.mktemp("images"), np.random.default_rng(0)
    shown: dict[str, list[Path]] = {}
    for person, images in {"Ann": 4, "Bob": 3, "Eve": 3}.items():
        pattern = np.kron(noise.uniform(0, 255, (8, 8, 3)), np.ones((8, 8, 1)))
        for number in range(images):
            pixels = np.clip(pattern + noise.normal(0, 12, pattern.shape), 0, 255).astype(np.uint8)
            file = root / f"{person}{number}.png"
            Image.fromarray(pixels).save(file)
            shown.setdefault("Ann" if (person, number) == ("Eve", 2) else person, []).append(file)
    return shown


class Runs:
    """Runs of the job on one layout after another, with a model that takes no time."""

    def __init__(self, spark: SparkSession, folder: Path) -> None:
        self.spark, self.folder = spark, folder
        profile = tiny_model.written(folder, Crop(SIDE, SIDE / 2, SIDE / 2))
        self.model = tiny_model.profile_file(profile, folder)

    def verdicts(self, layout: Layout) -> Verdicts:
        """Run the job, check that all is told of that is there, and return verdict and identity by content."""
        shop = Shop(self.spark, self.folder / f"{layout.root.name}.shop")
        sets = (*SETTINGS, *layout.sets, f"embed.model={self.model}", f"images.root={layout.root}")
        assert main.main(STEPS, "", [*shop.arguments(*sets), "--run", "r"]) == 0
        decided = shop.lake.read(tables.DECISIONS, shop.lake.snapshot(tables.DECISIONS))
        listed = shop.lake.read(tables.LISTING, shop.lake.snapshot(tables.LISTING)).select("image_id", "sha256")
        rows = decided.join(listed, "image_id").collect()
        record = shop.record("r")["stages"]["listing"]
        left_out = sum(files for kinds in record["left_out"].values() for files in kinds.values())
        assert left_out == record["ignored"]
        loops = record["left_out"].get("no image", {}).get("link to a folder that is listed already", 0)
        assert len(rows) + left_out - loops == layouts.things(layout.root)
        return {row.sha256: (row.verdict, row.identity if layout.spelled else None) for row in rows}


@pytest.fixture(scope="module")
def runs(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    return Runs(spark, tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def plain(runs: Runs, people: People) -> Verdicts:
    return runs.verdicts(layouts.plain(people, runs.folder / "plain"))


def each_layout() -> list[ParameterSet]:
    """Every layout but the plain one; the one of most trouble is tried in each run of the tests."""
    marks = {make: () if make.__name__ == "links" else pytest.mark.long for make in LAYOUTS[1:]}
    return [pytest.param(make, id=make.__name__, marks=mark) for make, mark in marks.items()]


def test_the_plain_layout_has_people_to_keep_and_one_to_drop(plain: Verdicts, people: People) -> None:
    verdicts = [verdict for verdict, _ in plain.values()]
    assert len(verdicts) == len(layouts.images_of(people)) == 10
    assert (verdicts.count("keep"), len(set(verdicts))) == (9, 2)


@pytest.mark.parametrize("make", each_layout())
def test_a_layout_loses_no_image_and_changes_no_verdict(
    runs: Runs, people: People, plain: Verdicts, make: Callable[[People, Path], Layout]
) -> None:
    layout = make(people, runs.folder / make.__name__)
    verdicts = runs.verdicts(layout)
    assert verdicts == {sha256: (verdict, who if layout.spelled else None) for sha256, (verdict, who) in plain.items()}

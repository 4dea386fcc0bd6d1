"""A cluster of two workers, the packed environment, and what a job is started with there."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path

import build
import pack
import pytest
from standalone import ROOT, Jobs, Standalone
from three_people import three_people


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory, photographs: Path) -> Path:
    """Nine photographs each of three people, and a file that is no image."""
    root = tmp_path_factory.mktemp("photographs")
    three_people(photographs, root, 9)
    (root / "madonna" / "text.jpg").write_text("no image")
    return root


@pytest.fixture(scope="session")
def jobs(tmp_path_factory: pytest.TempPathFactory, images: Path, facenet_weights: Path) -> Iterator[Jobs]:
    """Start a master and two workers, and make what travels to them."""
    folder = tmp_path_factory.mktemp("standalone")
    archive = folder / pack.NAME
    pack.pack(ROOT, archive)
    with tarfile.open(archive) as packed:
        packed.extractall(folder / "env", filter="fully_trusted")
    wheel = build.build_wheel(ROOT, folder)
    cluster = Standalone(folder)
    try:
        yield Jobs(cluster, folder, images, wheel.rename(folder / "facesieve.zip"), archive, facenet_weights.parent)
    finally:
        cluster.stop()

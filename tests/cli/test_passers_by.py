"""The folder's person speaks for a photograph, whoever stands nearer to the camera: real photographs, the whole job."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import passers_by
import pytest
from pyspark.sql import Row, SparkSession

from facesieve.cli import main
from facesieve.cluster.step import cluster
from facesieve.decide.step import decide
from facesieve.embed.step import embed
from facesieve.link.step import link

ROOT = Path(__file__).resolve().parents[2]

Decide = Callable[..., list[Row]]


@dataclass(frozen=True)
class Folders:
    """The photographs, and the uris of those with a passer-by."""

    root: Path
    passed: frozenset[str]


@pytest.fixture(scope="module")
def folders(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Folders:
    root = tmp_path_factory.mktemp("folders")
    return Folders(root, frozenset(passers_by.write(data, root)))


@pytest.fixture(scope="module")
def decided(spark: SparkSession, folders: Folders, facenet_weights: Path) -> Decide:
    """Run all steps but the last one with settings; return the decisions."""
    namespace = f"ns_{uuid.uuid4().hex[:8]}"

    def run(*sets: str) -> list[Row]:
        root = spark.conf.get("spark.sql.catalog.lake.warehouse")
        values = (f"lake.root={root}", f"lake.namespace={namespace}", f"images.root={folders.root}", *sets)
        arguments = ["--config", str(ROOT / "conf" / "pipeline.toml")]
        arguments += [part for value in values for part in ("--set", value)]
        assert main.main((embed, link, cluster, decide), "", arguments) == 0
        return spark.table(f"lake.{namespace}.decisions").collect()

    return run


def test_every_photograph_is_kept_by_default(decided: Decide) -> None:
    rows = decided()
    assert Counter(row.verdict for row in rows) == {"keep": passers_by.PEOPLE * passers_by.PHOTOGRAPHS}


def test_nothing_is_sure_where_only_the_largest_face_was_taken(decided: Decide, folders: Folders) -> None:
    """The largest faces make another person than the folder's: also the photographs of one face are in doubt."""
    rows = decided("embed.faces=largest")
    taken_away = [row for row in rows if row.verdict != "keep"]
    assert {row.uri for row in taken_away} >= {row.uri for row in rows} - folders.passed
    assert Counter(row.verdict for row in taken_away) == {"quarantine": len(taken_away)}
    assert not [row for row in taken_away if row.confidence is not None and row.confidence > 0.6]

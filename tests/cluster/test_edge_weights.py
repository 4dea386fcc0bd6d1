"""Where gain begins, and what a cosine counts for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from facesieve.cluster.edge_weights import by_cosine, impostor_lines, vote_integer
from facesieve.core.config import Config
from facesieve.core.errors import ConfigError
from facesieve.core.profiles import ImpostorLine, InFolder, Profile
from facesieve.core.sections import Cluster
from facesieve.core.tables import EDGES, VOTES, Edges
from facesieve.link.epoch import Epoch
from facesieve.link.kernels.thresholds import false_matches_at
from facesieve.link.routing import Routing

PROFILE = Profile("m", "0" * 64, "tflite", (9, 9), "none", 8, impostor=ImpostorLine(0.04, 0.16), name="m")
PROFILE = replace(PROFILE, identity=InFolder(0.4, 0.3))


def epoch(**cosines: float) -> Epoch:
    return Epoch("r", "", 5_000, cosines, Routing(None, 1, 0.0))


def test_the_global_line_lets_in_so_many_impostors() -> None:
    lines = impostor_lines(Config(), PROFILE, epoch(**{"identity": 0.4, "global": 0.6}))
    assert lines["identity"] == 0.3
    assert false_matches_at(lines["global"], 0.04, 0.16, 5_000, 1_000) == pytest.approx(10)


def test_cosine_needs_none() -> None:
    bare = replace(PROFILE, impostor=None, identity=None)
    assert impostor_lines(Config(cluster=Cluster(score="cosine")), bare, epoch(**{"global": 0.6})) == {}


@pytest.mark.parametrize(
    ("config", "profile", "cosines", "keys", "problem"),
    [
        (Config(), replace(PROFILE, impostor=None), {"global": 0.6}, ["cluster.score"], r"no \[impostor\]"),
        (Config(), replace(PROFILE, identity=None), {"identity": 0.4}, ["cluster.score"], r"no \[identity\]"),
        (
            Config(),
            PROFILE,
            {"global": 0.4, "identity": 0.3},
            ["cluster.false_matches", "cluster.score"],
            "is not below",
        ),
        (Config(), PROFILE, {"global": 0.45}, ["cluster.false_matches"], r"Above \d+(\.\d+)? false matches"),
        (
            Config(cluster=Cluster(false_matches=4_000.0)),
            PROFILE,
            {"global": 0.6},
            ["cluster.false_matches"],
            "would do",
        ),
    ],
)
def test_what_cannot_be_is_named(
    config: Config, profile: Profile, cosines: dict[str, float], keys: list[str], problem: str
) -> None:
    with pytest.raises(ConfigError, match=problem) as caught:
        impostor_lines(config, profile, epoch(**cosines))
    assert [fault.key for fault in caught.value.faults] == keys


def test_cosine_votes_by_its_integer(spark: SparkSession) -> None:
    cosines = np.array([1.0, 0.5, 0.7071068, 2.0**-20, 2.0**-21, 0.0, -0.25], dtype=np.float32)
    rows = [("global", 1, 10 + number, float(cosine), None) for number, cosine in enumerate(cosines)]
    votes = by_cosine(Edges(spark.createDataFrame(rows, EDGES.columns)))
    assert votes.schema.names == VOTES.columns.names
    written = votes.select("score", "votes", vote_integer(F.col("score"))).orderBy("dst").collect()
    assert [row[0] for row in written] == cosines.tolist()
    assert [row[1] for row in written] == [True, True, True, True, False, False, False]
    assert [row[2] for row in written] == np.floor(cosines.astype(np.float64) * 2**20).astype(int).tolist()

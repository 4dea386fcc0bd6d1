from __future__ import annotations

from dataclasses import replace

import pytest

from facesieve.cluster.gain_thresholds import impostor_lines
from facesieve.core.config import Cluster, Config
from facesieve.core.errors import ConfigError
from facesieve.core.profiles import ImpostorLine, InFolder, Profile
from facesieve.link.epoch import Epoch
from facesieve.link.kernels.thresholds import false_matches_at
from facesieve.link.routing import Routing

PROFILE = Profile("m", "0" * 64, "tflite", (9, 9), "none", 8, impostor=ImpostorLine(0.04, 0.16), name="m")
PROFILE = replace(PROFILE, identity=InFolder(0.4, 0.3))


def epoch(**cosines: float) -> Epoch:
    return Epoch("r", "", 5_000, cosines, Routing(None, 1, 0.0))


def test_the_heaps_line_lets_in_so_many_impostors() -> None:
    lines = impostor_lines(Config(), PROFILE, epoch(**{"identity": 0.4, "global": 0.6}))
    assert lines["identity"] == 0.3
    assert false_matches_at(lines["global"], 0.04, 0.16, 5_000, 1_000) == pytest.approx(10)


def test_cosine_needs_none() -> None:
    bare = replace(PROFILE, impostor=None, identity=None)
    assert impostor_lines(Config(cluster=Cluster(score="cosine")), bare, epoch(**{"global": 0.6})) == {}


@pytest.mark.parametrize(
    ("config", "profile", "cosines", "keys", "said"),
    [
        (Config(), replace(PROFILE, impostor=None), {"global": 0.6}, ["cluster.score"], r"no \[impostors\]"),
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
def test_what_cannot_be_is_named(config, profile, cosines, keys, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        impostor_lines(config, profile, epoch(**cosines))
    assert [fault.key for fault in caught.value.faults] == keys

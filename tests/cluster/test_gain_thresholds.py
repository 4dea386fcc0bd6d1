from __future__ import annotations

from dataclasses import replace

import pytest

from facesieve.cluster.gain_thresholds import stranger_lines
from facesieve.core.config import Cluster, Config
from facesieve.core.errors import ConfigError
from facesieve.core.profiles import InFolder, Profile, StrangerLine
from facesieve.link.edges import Routing
from facesieve.link.epoch import Epoch
from facesieve.link.kernels.thresholds import strangers_at

PROFILE = Profile("m", "0" * 64, "tflite", (9, 9), "none", 8, strangers=StrangerLine(0.04, 0.16), name="m")
PROFILE = replace(PROFILE, identity=InFolder(0.4, 0.3))


def epoch(**cosines: float) -> Epoch:
    return Epoch("r", "", 5_000, cosines, Routing(None, 1, 0.0))


def test_the_heaps_line_lets_in_so_many_strangers() -> None:
    lines = stranger_lines(Config(), PROFILE, epoch(identity=0.4, heap=0.6))
    assert lines["identity"] == 0.3
    assert strangers_at(lines["heap"], 0.04, 0.16, 5_000, 1_000) == pytest.approx(10)


def test_cosine_needs_none() -> None:
    bare = replace(PROFILE, strangers=None, identity=None)
    assert stranger_lines(Config(cluster=Cluster(score="cosine")), bare, epoch(heap=0.6)) == {}


@pytest.mark.parametrize(
    ("config", "profile", "cosines", "keys", "said"),
    [
        (Config(), replace(PROFILE, strangers=None), {"heap": 0.6}, ["cluster.score"], r"no \[strangers\]"),
        (Config(), replace(PROFILE, identity=None), {"identity": 0.4}, ["cluster.score"], r"no \[identity\]"),
        (Config(), PROFILE, {"heap": 0.4, "identity": 0.3}, ["cluster.strangers", "cluster.score"], "is not below"),
        (Config(), PROFILE, {"heap": 0.45}, ["cluster.strangers"], r"Above \d+(\.\d+)? strangers"),
        (Config(cluster=Cluster(strangers=4_000.0)), PROFILE, {"heap": 0.6}, ["cluster.strangers"], "would do"),
    ],
)
def test_what_cannot_be_is_named(config, profile, cosines, keys, said) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        stranger_lines(config, profile, epoch(**cosines))
    assert [fault.key for fault in caught.value.faults] == keys

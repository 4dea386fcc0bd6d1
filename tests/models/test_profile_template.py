from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from facesieve.models.files import ModelFiles
from facesieve.models.network import Facts
from facesieve.models.profile_template import profile_of, profile_text

FILES = ModelFiles(Path('/models/a "b" \\c\n.pb'), {"net.pb": b"graph"})


def facts(
    outputs: tuple[str, ...] = ("vectors float32 [?, 128]",), dimension: int = 128, scales: bool = False
) -> Facts:
    return Facts(("images float32 [?, 160, 160, 3]",), outputs, (160, 160), dimension, 9, scales_input=scales)


def test_the_text_is_toml_whatever_the_file_is_called() -> None:
    profile = profile_of(FILES, "frozen_graph", facts(), "a b/c")
    written = tomllib.loads(profile_text(profile, facts()))
    assert written["file"] == str(FILES.root)
    assert (written["sha256"], written["form"], written["input"]) == (profile.sha256, "frozen_graph", [160, 160])
    assert (written["normalisation"], written["dimension"]) == ("prewhiten", 128)
    assert written["margin"] == {"kind": "box", "share": 0.2}
    assert "output" not in written


def test_of_several_outputs_one_of_numbers_is_named() -> None:
    several = facts(("planes float32 [?, 5, 5, 8]", "vectors:0 float32 [?, 128]"))
    profile = profile_of(FILES, "frozen_graph", several, "it")
    assert tomllib.loads(profile_text(profile, several))["output"] == "vectors:0"


@pytest.mark.parametrize(
    ("name", "stated", "normalisation"),
    [
        ("20180402-114759", facts(), "fixed"),
        ("20170512-110547", facts(dimension=512), "prewhiten"),
        ("it", facts(), "prewhiten"),
        ("it", facts(dimension=512), "fixed"),
        ("it-2017", facts(scales=True), "none"),
    ],
)
def test_the_normalisation_is_guessed(name: str, stated: Facts, normalisation: str) -> None:
    assert profile_of(FILES, "frozen_graph", stated, name).normalisation == normalisation

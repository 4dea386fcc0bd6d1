"""Profiles that calibration writes: read again by the strict reader, and the files that it will not write."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from facesieve.assess.profile_writer import profile_text, refuse_unwritable
from facesieve.core import profiles
from facesieve.core.errors import ConfigError
from facesieve.core.sections import Embed

MODELS = Path(__file__).resolve().parents[2] / "conf" / "models"
SECTIONS: dict[str, dict[str, Any]] = {
    "impostor": {"intercept": 0.0381, "slope": 1e-05, "measured_on": 'pairs of "Ann\'s" \\ Zo\u00eb\t\u007f\n'},
    "identity": {"cosine": 0.413, "impostor_line": -0.3},
    "genuine": {"probabilities": [0.01, 0.5], "cosines": [-0.25, 0.7]},
}


def faults(profile: Path, figure: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        refuse_unwritable(str(profile), str(figure))
    return [f"{fault.key} {fault.problem}" for fault in caught.value.faults]


@pytest.mark.parametrize("model", ["facenet", "mobilefacenet"])
def test_a_profile_is_read_back_as_it_was_written(model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACESIEVE_MODELS", "/models")
    monkeypatch.setenv("FACESIEVE_DATA", "/data")
    written = tmp_path / "new.toml"
    written.write_text(profile_text(MODELS / f"{model}.toml", model, SECTIONS), encoding="utf-8")
    former, loaded = profiles.load(model, str(MODELS)), profiles.load(str(written), "")
    assert profiles.model_id(loaded, Embed()) == profiles.model_id(former, Embed())
    assert (loaded.name, loaded.file, loaded.crop, loaded.margin) == (model, former.file, former.crop, former.margin)
    for name, section in SECTIONS.items():
        values = {key: tuple(value) if isinstance(value, list) else value for key, value in section.items()}
        assert vars(getattr(loaded, name)) == values
    # A profile that calibration has written can be calibrated again.
    again = profile_text(written, model, SECTIONS)
    assert again == written.read_text(encoding="utf-8")


def test_comments_say_what_the_sections_are(tmp_path: Path) -> None:
    text = profile_text(MODELS / "facenet.toml", "facenet", SECTIONS)
    assert text.startswith("# Written by jobs/calibrate.py.\nfile = ")
    assert "[impostor]\n# Impostor scores: " in text
    assert text.count("\n# ") == len(SECTIONS)
    assert "${FACESIEVE_MODELS}" in tomllib.loads(text)["file"]


def test_files_that_are_there_or_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "there.toml").write_text("mine")
    assert faults(tmp_path / "there.toml", tmp_path / "no" / "p.svg") == [
        f"--out {tmp_path}/there.toml is there already",
        f"--svg the folder of {tmp_path}/no/p.svg does not exist",
    ]
    assert (tmp_path / "there.toml").read_text() == "mine"
    assert faults(tmp_path / "p.txt", tmp_path / "p.txt") == [
        f"--out {tmp_path}/p.txt does not end in .toml",
        "--svg is the same file as --out",
    ]
    (long,) = faults(tmp_path / ("x" * 300 + ".toml"), tmp_path / "p.svg")
    assert "cannot be written (File name too long)" in long
    refuse_unwritable(str(tmp_path / "p.toml"), str(tmp_path / "p.svg"))
    assert [file.name for file in tmp_path.iterdir()] == ["there.toml"]

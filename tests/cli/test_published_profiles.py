"""A profile of the same files is found by its digest, and keeps its comments with another path."""

from __future__ import annotations

import tomllib
from pathlib import Path

from facesieve.cli.published_profiles import published_profile

DIGEST = "ab" * 32


def test_a_profile_is_found_by_its_digest(tmp_path: Path) -> None:
    (tmp_path / "broken.toml").write_text("sha256 = ")
    (tmp_path / "other.toml").write_text(f'sha256 = "{"cd" * 32}"\n')
    (tmp_path / "mine.toml").write_text(f'# A comment.\nfile = "a"\nsha256 = "{DIGEST}"\n[identity]\ncosine = 0.4\n')
    profile = published_profile(DIGEST, tmp_path)
    assert profile is not None
    assert profile.name == "mine"
    moved = profile.of_file('/an "odd" path')
    assert moved.startswith("# A comment.")
    assert tomllib.loads(moved) == {"file": '/an "odd" path', "sha256": DIGEST, "identity": {"cosine": 0.4}}
    assert published_profile("ef" * 32, tmp_path) is None
    assert published_profile(DIGEST, tmp_path / "none") is None

"""Profiles that are there already, found by the digest of a model's files."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

import tomlkit


@dataclass(frozen=True)
class PublishedProfile:
    """A profile of a folder of profiles, by its name, and its text as it stands there."""

    name: str
    text: str

    def of_file(self, file: str) -> str:
        """Return the profile's text with another place of the model's files; comments stay."""
        document = tomlkit.parse(self.text)
        document["file"] = file
        return tomlkit.dumps(document)


def published_profile(sha256: str, folder: Path) -> PublishedProfile | None:
    """Find the profile of a model's digest; None if the folder holds none. A profile that cannot be read is no match.

    Of several the first by name is taken.
    """
    for path in sorted(folder.glob("*.toml")):
        try:
            text = path.read_text(encoding="utf-8")
            if tomllib.loads(text).get("sha256") == sha256:
                return PublishedProfile(path.stem, text)
        except (OSError, ValueError):
            continue
    return None

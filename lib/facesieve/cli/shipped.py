"""Files that the package brings along: the reference configuration, model profiles, Spark's settings, job files.

In a wheel they stand inside the package; in a checkout they stand at the project's root.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


def shipped(relative: str) -> Path:
    """Return where a file or folder is, for example `conf/pipeline.toml`."""
    inside = _PACKAGE / relative
    return inside if inside.exists() else _PACKAGE.parents[1] / relative

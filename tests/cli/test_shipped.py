"""Shipped files are found in a checkout and inside an installed package."""

from __future__ import annotations

from pathlib import Path

import pytest

from facesieve.cli import shipped


def test_a_checkout_has_them_at_its_root() -> None:
    for relative in (
        "conf/pipeline.toml",
        "conf/models/facenet.toml",
        "conf/spark/spark-defaults.conf",
        "jobs/sieve.py",
    ):
        assert shipped.shipped(relative).is_file()


def test_an_installed_package_has_them_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "lib" / "facesieve"
    (package / "conf").mkdir(parents=True)
    monkeypatch.setattr(shipped, "_PACKAGE", package)
    assert shipped.shipped("conf") == package / "conf"
    assert shipped.shipped("jobs") == tmp_path / "jobs"

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


def test_code_in_a_zip_takes_them_from_beside_the_job_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped, "_PACKAGE", tmp_path / "dist" / "facesieve.zip" / "facesieve")
    monkeypatch.setattr("sys.argv", [str(tmp_path / "jobs" / "describe.py")])
    (tmp_path / "conf" / "models").mkdir(parents=True)
    assert shipped.shipped("conf/models") == tmp_path / "conf" / "models"
    assert not shipped.shipped("conf/absent").exists()

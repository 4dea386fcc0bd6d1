"""The folder of a report: what it may replace, and what of the package stands in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from facesieve.assess.report_page import destination
from facesieve.assess.report_page.destination import claim, picture_path, write_assets, write_data
from facesieve.core.errors import ConfigError


def test_a_folder_of_others_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "holiday.txt").write_text("mine")
    with pytest.raises(ConfigError, match=r"--out: .* holds something that is no report\. Name a new folder"):
        claim(str(tmp_path))
    assert [file.name for file in tmp_path.iterdir()] == ["holiday.txt"]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="--out: "):
        claim(str(tmp_path / "file" / "report"))


def test_a_former_report_goes_and_nothing_else(tmp_path: Path) -> None:
    target = claim(str(tmp_path / "report"))
    write_data(target, "queue-0009", {"entries": []})
    (tmp_path / "report" / "notes.txt").write_text("mine")
    claim(str(tmp_path / "report"))
    assert not (tmp_path / "report" / "data").exists()
    assert (tmp_path / "report" / "notes.txt").exists()


def test_the_page_of_the_package_is_copied_and_its_index_stands_at_the_top(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "package"
    (package / "assets" / "more").mkdir(parents=True)
    (package / "assets" / "index.html").write_text("<!doctype html>", encoding="utf-8")
    (package / "assets" / "more" / "a.js").write_text("'use strict';", encoding="utf-8")
    monkeypatch.setattr(destination, "files", lambda _package: package)
    write_assets(claim(str(tmp_path / "report")))
    written = {file.relative_to(tmp_path / "report").as_posix() for file in (tmp_path / "report").rglob("*.*")}
    assert written >= {"index.html", "assets/more/a.js"}
    assert "assets/index.html" not in written


def test_pictures_are_spread_by_the_last_byte_of_the_id() -> None:
    assert picture_path(-(2**63)) == "pictures/00/-9223372036854775808.jpg"

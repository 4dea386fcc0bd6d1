"""Where pictures come from: the configuration, else the record of the run; and what is said where there are none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from reported import Reported

from facesieve.assess.report_page.pictured_source import pictured_source
from facesieve.assess.report_page.run_tables import RunTables
from facesieve.core.config import Config
from facesieve.core.errors import ConfigError
from facesieve.core.sections import VECTORS, Images
from facesieve.lake.records import RunRecord
from facesieve.lake.side_job import SideJob


def _with(job: SideJob, **images: str) -> SideJob:
    return replace(job, config=replace(Config(), images=Images(**images)), warnings=[])  # type: ignore[arg-type]


def test_the_record_of_the_run_says_where_the_images_are(job: SideJob, run: RunTables, world: Reported) -> None:
    origin = pictured_source(_with(job), run)
    assert origin is not None
    assert origin.fetch()("Ann/0.jpg") == (world.root / "Ann" / "0.jpg").read_bytes()


def test_a_source_that_is_gone_makes_a_page_without_pictures(job: SideJob, run: RunTables, tmp_path: Path) -> None:
    asked = _with(job, root=str(tmp_path / "gone"))
    assert pictured_source(asked, run) is None
    assert asked.warnings == ["report: the source cannot be read, so the page has no pictures (images.root)"]


def test_vectors_have_no_pictures(job: SideJob, run: RunTables, tmp_path: Path) -> None:
    asked = _with(job, root=str(tmp_path), format=VECTORS)
    assert pictured_source(asked, run) is None
    assert "has no pictures" in asked.warnings[0]


def test_somebody_must_say_where_the_images_are(job: SideJob, run: RunTables) -> None:
    with pytest.raises(ConfigError, match=r"images\.root: is empty, and the run does not say where its images are"):
        pictured_source(_with(job), replace(run, record=RunRecord()))

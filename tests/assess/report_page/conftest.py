"""One small lake and one report of it, for all tests of the room."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession
from report_folder import Folder
from reported import Reported, reported

from facesieve.assess.report_page.contents import Frames, frames
from facesieve.assess.report_page.run_tables import RunTables, run_before, run_tables
from facesieve.cli import commands
from facesieve.core.config import Config
from facesieve.lake.ledger import Ledger
from facesieve.lake.side_job import SideJob


@pytest.fixture(scope="session")
def world(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Reported:
    return reported(spark, tmp_path_factory.mktemp("reported"))


@pytest.fixture(scope="session")
def job(world: Reported) -> SideJob:
    place = world.place
    return SideJob(Config(), place.spark, place.lake, Ledger(place.spark, place.lake, "", Config(), ""))


@pytest.fixture(scope="session")
def run(job: SideJob) -> RunTables:
    return run_tables(job, "")


@pytest.fixture(scope="session")
def before(job: SideJob, run: RunTables) -> RunTables:
    former = run_before(job, run)
    assert former is not None
    return former


@pytest.fixture(scope="session")
def shared(run: RunTables) -> Frames:
    return frames(run)


@pytest.fixture(scope="session")
def full(world: Reported, tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """The report with all that may be asked for."""
    out = tmp_path_factory.mktemp("reports") / "full"
    more = ("--pictures", "--fiftyone", "--set=report.names=true", "--set=report.sheet_images=10")
    assert commands.run("report", world.arguments(out, *more)) == 0
    return Folder(out)


@pytest.fixture(scope="session")
def plain(world: Reported, tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """The report as it is by default."""
    out = tmp_path_factory.mktemp("reports") / "plain"
    assert commands.run("report", world.arguments(out)) == 0
    return Folder(out)

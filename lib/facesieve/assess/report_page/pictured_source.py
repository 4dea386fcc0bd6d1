"""The source from which the pictures of a report come: the configured one, else the one that the run read."""

from __future__ import annotations

from dataclasses import replace

from facesieve.assess.report_page.run_tables import RunTables
from facesieve.core.config_schema import build
from facesieve.core.errors import ConfigError, Fault
from facesieve.core.hidden_paths import path_seal
from facesieve.core.sections import VECTORS, Images
from facesieve.images.hidden.hidden_source import hidden_source
from facesieve.images.protocol import Source
from facesieve.images.sources import source
from facesieve.lake.records import ListingRecord
from facesieve.lake.side_job import SideJob


def pictured_source(job: SideJob, run: RunTables) -> Source | None:
    """Return the source of the images; None, with a warning, where it is gone or has no pictures.

    Raises ConfigError if nobody says where the images are.
    """
    settings = _settings(job, run)
    if settings.format == VECTORS:
        job.warn('report: images.format = "vectors" has no pictures, so the page has none')
        return None
    origin = hidden_source(source(settings), path_seal(job.config.lake))
    try:
        origin.check()
    except ConfigError as problem:
        job.warn(f"report: the source cannot be read, so the page has no pictures ({problem.faults[0].key})")
        return None
    return origin


def _settings(job: SideJob, run: RunTables) -> Images:
    """The section `images` as configured; without a root as in the run's record; a table at the listed snapshot."""
    settings = job.config.images
    if not settings.root.strip():
        faults: list[Fault] = []
        recorded = build(Images, run.record.config.get("images", {}), "images.", faults)
        if recorded is None or faults or not recorded.root:
            fix = "Give the path or URI that the run read, or leave --pictures away."
            raise ConfigError([Fault("images.root", "is empty, and the run does not say where its images are", fix)])
        settings = recorded
    listing = run.record.stages.get("listing")
    at = listing.snapshot if isinstance(listing, ListingRecord) else None
    return replace(settings, snapshot=at) if settings.format == "table" and at and not settings.snapshot else settings

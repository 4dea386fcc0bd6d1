"""The snapshot of a table of images from which the lake's listing came: later steps read the pictures there."""

from __future__ import annotations

from dataclasses import replace

from facesieve.core.hidden_paths import path_seal
from facesieve.core.sections import Images
from facesieve.core.tables import LISTING
from facesieve.images.hidden.hidden_source import hidden_source
from facesieve.images.protocol import Source
from facesieve.images.sources import source
from facesieve.lake.records import ListingRecord
from facesieve.lake.run import Run


def listed_source(run: Run) -> Source:
    """Return the source from which the listing came, which goes by the uris of the tables."""
    return hidden_source(source(images_as_listed(run)), path_seal(run.config.lake))


def images_as_listed(run: Run) -> Images:
    """Return the section `images`, at the snapshot of the listing where the images are in a table that keeps them."""
    settings = run.config.images
    if settings.format != "table" or settings.snapshot:
        return settings
    record = run.ledger.stages.get("listing")
    listing = run.now(LISTING)
    if record is None and listing is not None:
        record = run.ledger.step_of(listing.run, "listing")
    snapshot = record.snapshot if isinstance(record, ListingRecord) else None
    return replace(settings, snapshot=snapshot or "")

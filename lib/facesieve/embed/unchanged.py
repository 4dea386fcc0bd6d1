"""A source in which nothing has changed since the listing that the lake has: it is neither read nor listed again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict

from facesieve.core.pseudonyms import fingerprint, names_key
from facesieve.core.tables import LISTING
from facesieve.images.labels import LabelRow
from facesieve.images.protocol import Source
from facesieve.images.side_tables import Entries
from facesieve.lake.records import ListingRecord
from facesieve.lake.run import Run, Stage
from facesieve.lake.source_digest import code_digest


def state_of(run: Run, origin: Source, labels: Entries[LabelRow]) -> str | None:
    """Digest all that a listing comes from: source, settings, labels and code. None where the source must be read."""
    seen = None if run.config.embed.rehash else origin.state(run.spark)
    if seen is None:
        return None
    key = names_key(run.config.lake)
    names = [] if key is None else [fingerprint(key), *([] if run.config.lake.store_paths else ["hidden paths"])]
    made_of = [seen, asdict(run.config.images), labels.digest, code_digest(LISTING.name), *names]
    return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()


def unchanged(stage: Stage, state: str | None) -> ListingRecord | None:
    """Return what is recorded of the lake's current listing if it came from the same state; None if it did not."""
    since = stage.since[LISTING.name]
    if state is None or not since.key:
        return None
    record = stage.run.ledger.step_of(since.run, stage.name)
    return record if isinstance(record, ListingRecord) and record.state == state else None

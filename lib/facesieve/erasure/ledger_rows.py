"""The ledger without a subject: records stay, but for its names and ids; versions are called as they are now.

Names and uris are taken out of what a run has told (warnings, an error, its steps) and of what people have written of
it. All else is the job's own: times, settings, places. A name that is also a word of a place stays there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from typing import Any

from facesieve.erasure.kernels.words import is_bare, pattern, without
from facesieve.erasure.rebase import Rows
from facesieve.erasure.subject import Subject

Versions = Mapping[int, int]
"""Former snapshot id -> the id of the snapshot that took its place."""


_TOLD = ("warnings", "error", "stages")
"""The parts of a record that may name people."""
AUDIT = ("operator", "purpose", "basis")
"""What people have written of a run, in its acts and its configuration."""


def without_names(runs: Rows, subject: Subject, versions: Versions, others: Collection[str] = ()) -> Rows:
    """Return the rows of `runs`. The runs are few, so the driver rewrites them. others: longer names, of others."""
    numbers = map(str, (*subject.images, *subject.faces))
    names = (name for name in subject.names if not is_bare(name))
    words = pattern((*names, *subject.uris, *subject.digests, *numbers), others)
    ids = frozenset((*subject.images, *subject.faces))
    rows = []
    for row in runs.collect():
        values = row.asDict()
        for name in ("before", "after"):
            values[name] = _moved(values[name], versions)
        values["record"] = json.dumps(
            _record(json.loads(values["record"] or "{}"), words, ids, versions), sort_keys=True
        )
        rows.append(tuple(values[name] for name in runs.columns))
    return Rows(runs.sparkSession.createDataFrame(rows, runs.schema))


def _record(record: dict[str, Any], words: re.Pattern[str] | None, ids: frozenset[int], at: Versions) -> dict[str, Any]:
    cleaned = {name: _without(value, words if name in _TOLD else None, ids) for name, value in record.items()}
    written = [*(cleaned.get("acts") or []), (cleaned.get("config") or {}).get("run") or {}]
    for texts in written:
        texts |= {name: _without(texts[name], words, ids) for name in AUDIT if name in texts}
    cleaned |= {name: _moved(cleaned[name], at) for name in ("before", "after") if name in cleaned}
    listing = (cleaned.get("stages") or {}).get("listing")
    if listing and listing.get("state"):
        # The listing is no longer what its source would give: the next run must look.
        listing["state"] = None
    return cleaned


def _moved(at: Mapping[str, int] | None, versions: Versions) -> dict[str, int] | None:
    return None if at is None else {table: versions.get(snapshot, snapshot) for table, snapshot in at.items()}


def _without(value: Any, words: re.Pattern[str] | None, ids: frozenset[int]) -> Any:
    """Return a value of JSON without the words and the ids. The fields of records are called by no name."""
    if isinstance(value, dict):
        return {name: _without(each, words, ids) for name, each in value.items()}
    if isinstance(value, list):
        return [_without(each, words, ids) for each in value]
    if isinstance(value, str):
        return without(value, words) if words else value
    return None if isinstance(value, int) and value in ids else value

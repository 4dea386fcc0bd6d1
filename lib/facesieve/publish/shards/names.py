"""The names of labels.csv, as tasks read them: so that the driver holds no list of all people."""

from __future__ import annotations

import csv
import io
from functools import lru_cache

from facesieve.images.storage import Storage


@lru_cache(maxsize=1)
def names_by_label(folder: Storage, edition: str) -> tuple[str, ...]:
    """Return the identities of labels.csv in the order of their labels. Raises OSError.

    edition: of which the labels are, so that a worker never takes former ones for them.
    """
    text = io.StringIO(folder.read("labels.csv").decode("utf-8"), newline="")
    rows = sorted((int(row["label"]), row["identity"]) for row in csv.DictReader(text))
    return tuple(identity for _, identity in rows)

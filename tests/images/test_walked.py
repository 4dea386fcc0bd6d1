from __future__ import annotations

import pyarrow as pa

from facesieve.images.kinds import ARCHIVE
from facesieve.images.protocol import Sort
from facesieve.images.walk import Entry
from facesieve.images.walked import archives_in, batches_of


def test_entries_become_rows_or_are_counted_by_kind_and_archives_come_back() -> None:
    archive = Entry("b.zip", 9, 1_700_000_000_000_001, ARCHIVE)
    entries = [
        Entry("a.jpg", 1, 2, identity="Ann"),
        archive,
        Entry("d.txt", None, None, ".txt", Sort.NO_IMAGE),
        Entry("c.txt", None, None, ".txt", Sort.NO_IMAGE),
    ]
    batches = list(batches_of(entries, lambda entry: entry if entry.sort is None else None))
    rows = pa.Table.from_batches(batches).to_pylist()
    assert [(row["uri"], row["size"], row["identity"]) for row in rows] == [
        ("a.jpg", 1, "Ann"),
        ("b.zip", 9, None),
        ("c.txt", 2, None),
    ]
    assert list(archives_in(batches[0].slice(1, 1))) == [archive]

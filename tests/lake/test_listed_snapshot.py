from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from facesieve.core.config import Config
from facesieve.core.sections import Images
from facesieve.lake.listed_snapshot import images_as_listed
from facesieve.lake.records import ListingRecord
from facesieve.lake.run import Run


def _run(images: Images, now: ListingRecord | None = None, earlier: ListingRecord | None = None) -> Run:
    ledger = SimpleNamespace(stages={"listing": now} if now else {}, step_of=lambda run, step: earlier)
    listing = SimpleNamespace(run="before")
    made: Any = SimpleNamespace(config=Config(images=images), ledger=ledger, now=lambda table: listing)
    return cast(Run, made)


def test_the_snapshot_of_this_run_comes_before_that_of_the_listing() -> None:
    table = Images(root="a.b", format="table")
    first, second = ListingRecord(snapshot="1"), ListingRecord(snapshot="2")
    assert images_as_listed(_run(table, first, second)).snapshot == "1"
    assert images_as_listed(_run(table, None, second)).snapshot == "2"
    assert images_as_listed(_run(table, None, None)).snapshot == ""
    named = Images(root="a.b", format="table", snapshot="7")
    assert images_as_listed(_run(named, first, second)) is named
    files = Images(root="/a")
    assert images_as_listed(_run(files, first, second)) is files

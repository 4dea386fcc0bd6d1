"""The layout of the images as one line."""

from __future__ import annotations

import pytest

from facesieve.lake.layout_record import LayoutRecord
from facesieve.lake.records import ListingRecord, step_record

FULL = LayoutRecord(
    images=500,
    identities=27,
    unnamed=3,
    fewest=3,
    most=40,
    shallowest=0,
    deepest=2,
    left_out={".txt": 12, "no suffix": 2},
)


@pytest.mark.parametrize(
    ("record", "text"),
    [
        (
            FULL,
            "27 identities, 3 to 40 images each; 3 images without an identity; 0 to 2 levels of folders; "
            "14 files are not images: 12 .txt, 2 no suffix",
        ),
        (LayoutRecord(images=1234), "1,234 images without identities"),
        (LayoutRecord(images=1, shallowest=0, deepest=0), "1 image without identities; no folders"),
        (
            LayoutRecord(images=9, identities=1, fewest=9, most=9, shallowest=1, deepest=1, left_out={".txt": 1}),
            "1 identity, 9 images each; 1 level of folders; 1 file is not an image: 1 .txt",
        ),
        (
            LayoutRecord(images=1, left_out={f".{number}": 1 + number for number in range(7)}),
            "1 image without identities; 28 files are not images: 7 .6, 6 .5, 5 .4, 4 .3, 3 .2, and 2 more kinds",
        ),
    ],
)
def test_the_line(record: LayoutRecord, text: str) -> None:
    assert record.text == text


def test_the_ledger_keeps_it() -> None:
    record = ListingRecord(layout=FULL)
    assert step_record("listing", record.to_json()) == record
    assert step_record("listing", {"rows_in": 1}) == ListingRecord(rows_in=1)

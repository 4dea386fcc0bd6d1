"""Bytes of image files are those that were listed, or the run stops."""

from __future__ import annotations

from exported import PLACES, content

from facesieve.core.tables import Cleaned
from facesieve.images.storage import Storage
from facesieve.publish.image_files import with_bytes


def test_bytes_are_filled_and_nothing_else_is_touched(cleaned: Cleaned, source: Storage) -> None:
    filled = with_bytes(cleaned, source.read)
    assert filled.schema == cleaned.schema
    rows = filled.collect()
    assert {row.uri: bytes(row.bytes) for row in rows} == {uri: content(uri) for uri in PLACES}
    before = {row.uri: row.asDict() | {"bytes": None} for row in cleaned.collect()}
    assert {row.uri: row.asDict() | {"bytes": None} for row in rows} == before

"""Bytes of image files are those that were listed, or the run stops."""

from __future__ import annotations

import hashlib

from exported import PLACES, content

from facesieve.core.tables import Cleaned
from facesieve.images.storage import Storage
from facesieve.publish.image_files import listed_content, with_bytes


def test_bytes_are_filled_and_nothing_else_is_touched(cleaned: Cleaned, source: Storage) -> None:
    filled = with_bytes(cleaned, source.read)
    assert filled.schema == cleaned.schema
    rows = filled.collect()
    assert {row.uri: bytes(row.bytes) for row in rows} == {uri: content(uri) for uri in PLACES}
    before = {row.uri: row.asDict() | {"bytes": None} for row in cleaned.collect()}
    assert {row.uri: row.asDict() | {"bytes": None} for row in rows} == before


def test_a_file_that_is_gone_or_has_changed_says_so(source: Storage) -> None:
    listed = hashlib.sha256(content("h1.jpg")).hexdigest()
    assert listed_content("h1.jpg", listed, source.read) == (content("h1.jpg"), None)
    assert listed_content("h2.jpg", listed, source.read) == (None, "has changed")
    assert listed_content("nowhere.jpg", listed, source.read) == (None, "cannot be read")

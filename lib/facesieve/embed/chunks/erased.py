"""The images that were erased: an image that comes again is rejected as `erased`, before it is decoded."""

from __future__ import annotations

from facesieve.core.tables import ERASED
from facesieve.core.tombstones import NOTHING_ERASED, Tombstones, read_key
from facesieve.lake.catalog import Lake


def tombstones(lake: Lake, key_file: str) -> Tombstones:
    """Read the tombstones of a lake. Raises ConfigError if there are some, and their key cannot be read."""
    at = lake.current(ERASED)
    hashes = frozenset(row.hash for row in lake.read(ERASED, at).select("hash").collect()) if at else frozenset()
    return Tombstones(read_key(key_file), hashes) if hashes else NOTHING_ERASED

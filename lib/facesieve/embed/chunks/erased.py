"""The images that were erased: an image that comes again is rejected as `erased`, before it is decoded."""

from __future__ import annotations

from facesieve.core.resemblance import Resembled
from facesieve.core.tables import ERASED
from facesieve.core.tombstones import KEY, NOTHING_ERASED, Tombstones, read_key
from facesieve.lake.catalog import Lake


def tombstones(lake: Lake, key_file: str) -> Tombstones:
    """Read the tombstones of a lake. Raises ConfigError if there are some without their key."""
    at = lake.current(ERASED)
    rows = lake.read(ERASED, at).select("kind", "hash", "bands").collect() if at else []
    if not rows:
        return NOTHING_ERASED
    key = read_key(key_file, [row.hash for row in rows if row.kind == KEY])
    pictures = Resembled.of(key, (row.bands for row in rows if row.bands))
    return Tombstones(key, frozenset(row.hash for row in rows if row.kind != KEY), pictures)

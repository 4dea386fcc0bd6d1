"""Near copies of erased pictures, known again by keyed hashes: nothing of a picture is stored in the clear.

A perceptual hash has 256 bits, of which some ten change when the picture is encoded anew or resized. They are dealt to
16 bands of 16 bits, in an order that follows from the key, and of each band a keyed hash is stored. A picture resembles
another if 4 of the 16 bands agree. By the pigeonhole principle that is sure where at most 12 bits differ.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from facesieve.core.ids import keyed_hash

BANDS, BAND_BITS = 16, 16
BITS = BANDS * BAND_BITS
AGREEING = 4
"""Of BANDS, to be taken for a copy: see `tests/bench/near_copies.py`."""

LEAST_SET = 32
"""Bits that are set at least: of a picture that is flat almost everywhere the hash tells nothing."""

_HEX = 32


@dataclass(frozen=True)
class Resembled:
    """Pictures that were erased: keyed hash of a band -> numbers of the pictures that have it."""

    key: bytes
    bands: Mapping[str, tuple[int, ...]]

    @classmethod
    def of(cls, key: bytes, pictures: Iterable[Sequence[str]]) -> Resembled:
        """Take the bands of each picture."""
        numbers = dict[str, tuple[int, ...]]()
        for number, bands in enumerate(pictures):
            for band in bands:
                numbers[band] = (*numbers.get(band, ()), number)
        return cls(key, numbers)

    def resembles(self, perceptual_hash: bytes) -> bool:
        """Say whether a picture with this hash of BITS bits is a near copy of an erased one."""
        agreeing = Counter(
            number for band in bands_of(self.key, perceptual_hash) for number in self.bands.get(band, ())
        )
        return bool(agreeing) and max(agreeing.values()) >= AGREEING

    def __repr__(self) -> str:
        return f"Resembled({len(self.bands)})"


NOTHING_RESEMBLED = Resembled(b"", {})


def bands_of(key: bytes, perceptual_hash: bytes) -> list[str]:
    """Return the keyed hash of each band of a perceptual hash of BITS bits; none if it tells nothing.

    >>> len(bands_of(b"key", bytes(range(32)))), bands_of(b"key", bytes(32))
    (16, [])
    """
    number = int.from_bytes(perceptual_hash, "big")
    if not LEAST_SET <= number.bit_count() <= BITS - LEAST_SET:
        return []
    bits = [number >> place & 1 for place in _order(key)]
    parts = (bits[start : start + BAND_BITS] for start in range(0, BITS, BAND_BITS))
    return [keyed_hash(key, "band", band, str(part))[:_HEX] for band, part in enumerate(parts)]


@lru_cache(maxsize=4)
def _order(key: bytes) -> tuple[int, ...]:
    """The bits in an order of the key's own: those of a band are from all over the picture."""
    return tuple(sorted(range(BITS), key=lambda place: keyed_hash(key, "bit", place)))

"""Many patterns of bytes are looked for at once: the time hardly grows with their number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

TOKEN = 8
"""Bytes of the shortest pattern."""
_AT_ONCE = 1 << 22
"""Bytes at once: what they need beside themselves fits the processor's caches."""

Words = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class BytePatterns:
    """Patterns of at least TOKEN bytes, each of a kind.

    The first two bytes are looked for at each place, then the first eight, then for each length of a pattern the last
    eight. A place that has all of these is compared whole.
    """

    patterns: Iterable[tuple[str, bytes]]
    _seen: dict[tuple[int, int], list[tuple[str, bytes]]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        for kind, whole in self.patterns:
            self._seen.setdefault((len(whole), _last(whole)), []).append((kind, whole))

    def places_in(self, content: bytes) -> Iterator[tuple[str, int, int]]:
        """Yield where in a content the patterns are: kind, start and end; some twice.

        >>> list(BytePatterns([("a", b"12345678"), ("b", b"123456789"), ("c", b"1234567x")]).places_in(b"0123456789"))
        [('a', 1, 9), ('b', 1, 10)]
        """
        for start in range(0, len(content) - TOKEN + 1 if self._seen else 0, _AT_ONCE):
            piece = content[start : start + _AT_ONCE + self._longest - 1]
            for kind, place, length in self._in_piece(piece):
                yield kind, start + place, start + place + length

    @cached_property
    def _longest(self) -> int:
        return max(length for length, _last in self._seen)

    @cached_property
    def _firsts(self) -> tuple[Words, npt.NDArray[np.bool_]]:
        """The first eight bytes of the patterns, ascending, and which first two bytes there are."""
        every = {int.from_bytes(whole[:TOKEN], "little") for each in self._seen.values() for _kind, whole in each}
        firsts = np.array(sorted(every), np.uint64)
        two = np.zeros(1 << 16, np.bool_)
        two[(firsts & np.uint64(0xFFFF)).astype(np.int64)] = True
        return firsts, two

    @cached_property
    def _lasts(self) -> Mapping[int, Words]:
        """By length the last eight bytes of the patterns, ascending."""
        lengths = {length for length, _last in self._seen}
        return {
            each: np.array(sorted(last for length, last in self._seen if length == each), np.uint64) for each in lengths
        }

    def _in_piece(self, piece: bytes) -> Iterator[tuple[str, int, int]]:
        words: Words = np.ndarray((len(piece) - TOKEN + 1,), "<u8", piece, strides=(1,))
        firsts, two = self._firsts
        places = np.concatenate([_places(piece, two, odd, len(words)) for odd in (0, 1)])
        places = places[_among(words[places], firsts)]
        for length, lasts in self._lasts.items():
            ending = places[places + length <= len(piece)] if len(places) else places
            tails = words[ending + length - TOKEN]
            for place in ending[_among(tails, lasts)].tolist():
                whole = piece[place : place + length]
                yield from ((kind, place, length) for kind, each in self._seen[length, _last(whole)] if each == whole)


def _last(whole: bytes) -> int:
    return int.from_bytes(whole[-TOKEN:], "little")


def _places(piece: bytes, two: npt.NDArray[np.bool_], odd: int, most: int) -> npt.NDArray[np.int64]:
    """Return the even, or odd, places that begin with two bytes of a pattern."""
    pairs = np.frombuffer(piece, "<u2", (len(piece) - odd) // 2, odd)
    places = np.flatnonzero(two[pairs]) * 2 + odd
    return places[places < most]


def _among(values: Words, wanted: Words) -> npt.NDArray[np.bool_]:
    """Say which values are among the wanted, which ascend."""
    nearest = wanted[np.minimum(np.searchsorted(wanted, values), len(wanted) - 1)]
    return np.equal(nearest, values)

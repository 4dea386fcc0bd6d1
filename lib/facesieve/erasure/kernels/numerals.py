"""Numerals in bytes: runs of digits that may be an id, and of hexadecimal digits that may be a digest."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np
import numpy.typing as npt

_DECIMAL, _HEXADECIMAL = b"0123456789", b"0123456789abcdefABCDEF"
SHORTEST, LONGEST, DIGEST = 5, 20, 64
"""Digits of an id that is looked for, at least and at most; hexadecimal digits of a digest."""
_AT_ONCE = 1 << 22
"""Bytes at once: what they need beside themselves fits the processor's caches."""

Spans = npt.NDArray[np.int64]
"""Places of runs [n, 2]: the first digit, and behind the last one."""


def decimals(content: bytes, lengths: Collection[int]) -> Iterator[bytes]:
    """Yield each run of so many digits, and the same with the minus before. A run of more digits is another number.

    >>> list(decimals(b"12345,-678901 1234 1234567", {5, 6}))
    [b'12345', b'678901', b'-678901']
    """
    for first, end in _runs(content, _DECIMAL, lengths):
        yield content[first:end]
        if content[first - 1 : first] == b"-":
            yield content[first - 1 : end]


def digests(content: bytes) -> Iterator[bytes]:
    """Yield each run of DIGEST hexadecimal digits.

    >>> [len(each) for each in digests(b"x" + b"aF" * 32 + b"x" + b"0" * 65)]
    [64]
    """
    for first, end in _runs(content, _HEXADECIMAL, (DIGEST,)):
        yield content[first:end]


def _runs(content: bytes, digits: bytes, lengths: Collection[int]) -> Iterator[tuple[int, int]]:
    """Yield where runs of such lengths begin and end.

    Pieces of the content overlap by more than a run on both sides. A run counts where it begins.
    """
    least, beside = min(lengths, default=0), max(lengths, default=0) + 1
    for start in range(0, len(content) if lengths else 0, _AT_ONCE):
        before = max(0, start - beside)
        spans = _spans(content[before : start + _AT_ONCE + beside], digits, least) + before
        here = (spans[:, 0] >= start) & (spans[:, 0] < start + _AT_ONCE)
        fit = here & np.isin(spans[:, 1] - spans[:, 0], list(lengths))
        yield from map(tuple, spans[fit].tolist())


def _spans(piece: bytes, digits: bytes, least: int) -> Spans:
    """Return the runs of at least so many digits.

    A place is left where it and all of the next `least` - 1 are digits; what is left of a run is one place or several
    in a row.
    """
    table = bytes(byte in digits for byte in range(256))
    left, span = np.frombuffer(piece.translate(table), np.uint8), 1
    while span < least and len(left):
        step = min(span, least - span)
        left, span = left[: max(0, len(left) - step)] & left[step:], span + step
    places = np.flatnonzero(left)
    if not len(places):
        return np.zeros((0, 2), np.int64)
    apart = np.flatnonzero(np.diff(places) > 1)
    firsts, lasts = places[np.append(0, apart + 1)], places[np.append(apart, len(places) - 1)]
    return np.stack([firsts, lasts + least], axis=1).astype(np.int64)

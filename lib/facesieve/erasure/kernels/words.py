"""Words of a subject, taken whole: `ann` is in `ann/1.jpg` and in `ann_1.jpg`, and not in `annual`."""

from __future__ import annotations

import json
import re
import urllib.parse
from collections.abc import Iterable

GONE = "(erased)"

_BEFORE = r"(?:(?<![0-9A-Za-z])|(?<=%[0-9A-Fa-f]{2})|(?<=\\[bfnrt])|(?<=\\u[0-9A-Fa-f]{4}))"
"""No letter or digit of ASCII, or the end of an escape of percent-encoding or JSON."""
_AFTER = "(?![0-9A-Za-z])"
_BEGINS, _ENDS = re.compile(_BEFORE.encode()), re.compile(_AFTER.encode())


def spellings(word: str) -> set[str]:
    """Return how a word may be written: as it is, percent-encoded, as in JSON.

    >>> sorted(spellings("Zoé"))
    ['Zo%C3%A9', 'Zo\\\\u00e9', 'Zoé']
    """
    return {word, urllib.parse.quote(word), json.dumps(word)[1:-1]}


def pattern(words: Iterable[str]) -> re.Pattern[str] | None:
    """Return what finds any of the words, however spelt; None where there is no word."""
    every = sorted({each for word in words if word for each in spellings(word)}, key=lambda each: (-len(each), each))
    return re.compile(f"{_BEFORE}(?:{'|'.join(map(re.escape, every))}){_AFTER}") if every else None


def is_whole(content: bytes, start: int, end: int) -> bool:
    """Say whether the bytes from `start` to `end` are a word of their own, no piece of a longer one.

    >>> [is_whole(content, 1, 4) for content in (b"/ann_1", b"joann", b"/anne")]
    [True, False, False]
    """
    return bool(_BEGINS.match(content, start) and _ENDS.match(content, end))


def is_counted(content: bytes, start: int, end: int) -> bool:
    """Say whether the length of a word stands before it, as a number of seven bits a byte, in zigzag or not.

    >>> is_counted(b"\\x06annA", 1, 4), is_counted(b"\\x07annA", 1, 4)
    (True, False)
    """
    return any(content.endswith(_seven_bits(number), 0, start) for number in (end - start, 2 * (end - start)))


def _seven_bits(number: int) -> bytes:
    low = [number >> shift & 0x7F for shift in range(0, number.bit_length(), 7)]
    return bytes([*(each | 0x80 for each in low[:-1]), low[-1]])

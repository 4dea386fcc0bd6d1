"""Words of a subject in a text, taken whole: `ann` is in `ann/1.jpg`, and not in `annual`."""

from __future__ import annotations

import json
import re
import urllib.parse
from collections.abc import Iterable

GONE = "(erased)"


def spellings(word: str) -> set[str]:
    """Return how a word may be written: as it is, percent-encoded, as in JSON.

    >>> sorted(spellings("Zoé"))
    ['Zo%C3%A9', 'Zo\\\\u00e9', 'Zoé']
    """
    return {word, urllib.parse.quote(word), json.dumps(word)[1:-1]}


def pattern(words: Iterable[str]) -> re.Pattern[str] | None:
    """Return what finds any of the words, however spelt; None where there is no word."""
    every = sorted({each for word in words if word for each in spellings(word)}, key=lambda each: (-len(each), each))
    return re.compile("(?<![\\w])(?:" + "|".join(map(re.escape, every)) + ")(?![\\w])") if every else None

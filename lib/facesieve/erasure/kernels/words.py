"""Words of a subject, taken whole: `ann lee` is in `ann lee_1.jpg`, and not in `joann lee`.

| word | counts |
| --- | --- |
| a uri, a name of 6 bytes and more | where no letter or digit of ASCII touches it |
| a shorter name | as a value or a part of a path: `"ann"`, `/ann/`, `ann,` |
| a name of digits, or of one or two bytes | as a whole value or line: `"7"` |
"""

from __future__ import annotations

import html
import json
import re
import unicodedata
import urllib.parse
from collections.abc import Collection, Iterable

from facesieve.publish.file_names import plain

GONE = "(erased)"

SHORT, _BARE = 6, 3
"""Bytes of a name below which it counts as a value, or as a whole value, alone: elsewhere it stands by chance."""

_BEFORE = r"(?:(?<![0-9A-Za-z])|(?<=%[0-9A-Fa-f]{2})|(?<=\\[bfnrt])|(?<=\\u[0-9A-Fa-f]{4}))"
"""No letter or digit of ASCII, or the end of an escape of percent-encoding or JSON."""
_AFTER = "(?![0-9A-Za-z])"
_WHOLE = re.compile(_BEFORE.encode()), re.compile(_AFTER.encode())
_VALUE = re.compile(rb'(?<![^/\\"\n\r\t,;|=])'), re.compile(rb'(?![^/\\"\n\r\t,;|=])')
_ALONE = re.compile(rb'(?<![^"\n\r])'), re.compile(rb'(?![^"\n\r])')


def spellings(word: str) -> set[str]:
    """Return how a word may be written: in either Unicode form, in JSON, CSV, HTML, in a URL, as a name of a file.

    >>> sorted(spellings("Zoé"))[:2]
    ['Zo%C3%A9', 'Zo%c3%a9']
    """
    forms = {word, *(unicodedata.normalize(form, word) for form in ("NFC", "NFD"))}
    return {spelt for form in forms for spelt in _spelt(form)}


def _spelt(word: str) -> set[str]:
    escaped = {json.dumps(word, ensure_ascii=each)[1:-1] for each in (True, False)}
    twice = {json.dumps(each)[1:-1] for each in escaped}
    quoted = {urllib.parse.quote(word), urllib.parse.quote(word, safe=""), urllib.parse.quote_plus(word)}
    lower = {re.sub("%[0-9A-F]{2}", lambda code: code.group().lower(), each) for each in quoted}
    names = {"/".join(map(plain, word.split("/")))} if word else set()
    return {word, word.replace('"', '""'), html.escape(word), *escaped, *twice, *quoted, *lower, *names}


def is_bare(word: str) -> bool:
    """Say whether a word stands nearly everywhere: digits, or one or two bytes.

    >>> [is_bare(word) for word in ("2026", "ab", "ann")]
    [True, True, False]
    """
    return word.isdigit() or len(word.encode("utf-8", errors="surrogatepass")) < _BARE


def pattern(words: Iterable[str], others: Collection[str] = ()) -> re.Pattern[str] | None:
    """Return what finds any of the words, however spelt, as group 2; None where there is no word.

    Longer words of others are found first, as group 1, and a word inside is theirs.
    """
    every = _longest_first(spelt for word in words if word for spelt in spellings(word))
    theirs = _longest_first(spelt for word in others if word for spelt in spellings(word))
    if not every:
        return None
    longer = [each for each in theirs if any(word != each and word in each for word in every)]
    first = f"({'|'.join(map(re.escape, longer))})" if longer else "(?!)()"
    return re.compile(f"{_BEFORE}(?:{first}|({'|'.join(map(re.escape, every))})){_AFTER}")


def without(text: str, words: re.Pattern[str]) -> str:
    """Return a text in which GONE stands in place of the words of a pattern.

    >>> without("Ann and Mary Ann", pattern(["Ann"], ["Mary Ann"]))
    '(erased) and Mary Ann'
    """
    return words.sub(lambda each: GONE if each.group(2) else each.group(), text)


def is_whole(content: bytes, start: int, end: int) -> bool:
    """Say whether the bytes from `start` to `end` are a word of their own, no piece of a longer one.

    >>> [is_whole(content, 1, 4) for content in (b"/ann_1", b"joann", b"/anne")]
    [True, False, False]
    """
    return _stands(_WHOLE, content, start, end)


def is_value(content: bytes, start: int, end: int) -> bool:
    """Say whether the bytes are a value of a table or a part of a path.

    >>> [is_value(content, 1, 4) for content in (b"/ann/1", b'"ann"', b" ann ")]
    [True, True, False]
    """
    return _stands(_VALUE, content, start, end)


def is_alone(content: bytes, start: int, end: int) -> bool:
    """Say whether the bytes are a whole value, or a whole line.

    >>> [is_alone(content, 1, 2) for content in (b'"7"', b"/7/")]
    [True, False]
    """
    return _stands(_ALONE, content, start, end)


def is_counted(content: bytes, start: int, end: int) -> bool:
    """Say whether the length of a word stands before it, as a number of seven bits a byte, in zigzag or not.

    >>> is_counted(b"\\x06annA", 1, 4), is_counted(b"\\x07annA", 1, 4)
    (True, False)
    """
    return any(content.endswith(_seven_bits(number), 0, start) for number in (end - start, 2 * (end - start)))


def _longest_first(words: Iterable[str]) -> list[str]:
    return sorted(set(words), key=lambda each: (-len(each), each))


def _stands(bounds: tuple[re.Pattern[bytes], re.Pattern[bytes]], content: bytes, start: int, end: int) -> bool:
    before, after = bounds
    return bool(before.match(content, start) and after.match(content, end))


def _seven_bits(number: int) -> bytes:
    low = [number >> shift & 0x7F for shift in range(0, number.bit_length(), 7)]
    return bytes([*(each | 0x80 for each in low[:-1]), low[-1]])

"""What a proof looks for, and how it is found in bytes: ids, digests and vectors in every form that is stored.

| part | as bytes | as text |
| --- | --- | --- |
| id | 8 bytes, both orders | decimal |
| digest | 32 bytes | hex |
| vector | float16, float32, float64, both orders | |
| uri, name | | UTF-8, percent-encoded, as in JSON |

Of each pattern of bytes the first 8 are looked for at every place at once; a place that has them is compared whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from facesieve.erasure.kernels.words import pattern, spellings

_TOKEN = 8
_LOW = 0xFFFF
_LEAST_NAME = 6
"""Shorter names are looked for as words of texts alone: in compressed bytes they stand by chance."""
_NUMBERS = ("<f2", ">f2", "<f4", ">f4", "<f8", ">f8")
_HEX_OR_DECIMAL = re.compile(rb"(?<![0-9a-fA-F])[0-9a-fA-F]{64}(?![0-9a-fA-F])|(?<!\d)-?\d{5,20}(?!\d)")


@dataclass(frozen=True)
class Needles:
    """The ids (images and faces), digests (hex), uris, names and vectors of a subject."""

    ids: frozenset[int]
    digests: frozenset[str]
    uris: frozenset[str]
    names: frozenset[str]
    vectors: Sequence[Sequence[float]]

    @cached_property
    def words(self) -> re.Pattern[str] | None:
        """What finds a uri or name as a word of a text."""
        return pattern((*self.uris, *self.names))

    @cached_property
    def _spelt(self) -> list[bytes]:
        long = (each for each in (*self.uris, *self.names) if len(each.encode()) >= _LEAST_NAME)
        return sorted({spelt.encode() for each in long for spelt in spellings(each)})

    @cached_property
    def _numerals(self) -> frozenset[bytes]:
        return frozenset([*(digest.encode() for digest in self.digests), *(str(each).encode() for each in self.ids)])

    @cached_property
    def _patterns(self) -> dict[int, list[tuple[str, bytes]]]:
        patterns: dict[int, list[tuple[str, bytes]]] = {}
        for kind, content in _patterns(self):
            patterns.setdefault(int.from_bytes(content[:_TOKEN], "little"), []).append((kind, content))
        return patterns

    @cached_property
    def _tokens(self) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.bool_]]:
        """The tokens, ascending, and which low halves a token has."""
        tokens = np.array(sorted(self._patterns), np.uint64)
        low = np.zeros(_LOW + 1, bool)
        low[(tokens & np.uint64(_LOW)).astype(np.int64)] = True
        return tokens, low

    def in_bytes(self, content: bytes) -> set[str]:
        """Return the kinds of what is found in bytes: `id`, `digest`, `vector`, `word`.

        >>> needles = Needles(frozenset([258 << 40]), frozenset(), frozenset(["ann/1.jpg"]), frozenset(), [])
        >>> sorted(needles.in_bytes(b"x" + (258 << 40).to_bytes(8, "big") + b" ann/1.jpg"))
        ['id', 'word']
        """
        kinds = {kind for kind, _place in self._matched(content)}
        if any(each in content for each in self._spelt):
            kinds.add("word")
        for numeral in _HEX_OR_DECIMAL.finditer(content):
            if numeral[0].lower() in self._numerals:
                kinds.add("digest" if len(numeral[0]) == 64 else "id")
        return kinds

    def in_text(self, text: str) -> set[str]:
        """Return the kinds of what is found in a text, where a name is a word."""
        kinds = {"word"} if self.words and self.words.search(text) else set[str]()
        return kinds | self.in_bytes(text.encode("utf-8", errors="surrogatepass"))

    def _matched(self, content: bytes) -> Iterator[tuple[str, int]]:
        tokens, low = self._tokens
        for offset in range(min(_TOKEN, max(0, len(content) - _TOKEN + 1))):
            count = (len(content) - offset) // _TOKEN
            words = np.frombuffer(content, "<u8", count, offset)
            near = np.flatnonzero(low[(words & np.uint64(_LOW)).astype(np.int64)])
            for place in near[np.isin(words[near], tokens)].tolist():
                start = offset + place * _TOKEN
                for kind, whole in self._patterns[int(words[place])]:
                    if content[start : start + len(whole)] == whole:
                        yield kind, start


def _patterns(needles: Needles) -> Iterable[tuple[str, bytes]]:
    for each in needles.ids:
        yield from (("id", each.to_bytes(_TOKEN, order, signed=True)) for order in ("little", "big"))
    for digest in needles.digests:
        yield "digest", bytes.fromhex(digest)
    for vector in needles.vectors:
        numbers = np.array(vector, np.float32)
        for kind in _NUMBERS if numbers.any() else ():
            content = numbers.astype(kind).tobytes()
            if len(content) >= _TOKEN:
                yield "vector", content

"""What a proof looks for, and how it is found in bytes: ids, digests and vectors in every form that is stored.

| part | as bytes | as text |
| --- | --- | --- |
| id | 8 bytes, both orders | decimal |
| digest | 32 bytes | hex |
| vector | float16, float32, float64, both orders | |
| uri, name | | UTF-8, percent-encoded, as in JSON |

A uri or a name that is a piece of a longer word is another's, as `a/1.jpg` in `data/1.jpg`. In bytes of a form that is
not known anything counts.

Long patterns of bytes are looked for all at once (`byte_patterns`), and so are numerals (`numerals`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from facesieve.erasure.kernels.byte_patterns import TOKEN, BytePatterns
from facesieve.erasure.kernels.numerals import LONGEST, SHORTEST, decimals, digests
from facesieve.erasure.kernels.words import is_counted, is_whole, spellings

_LOW = 0xFFFF
_LEAST_NAME = 6
"""Shorter names are looked for as words of texts alone: in compressed bytes they stand by chance."""
_Counts = Callable[[bytes, int, int], bool]
_NUMBERS = ("<f2", ">f2", "<f4", ">f4", "<f8", ">f8")


@dataclass(frozen=True)
class Needles:
    """The ids (images and faces), digests (hex), uris, names and vectors of a subject."""

    ids: frozenset[int]
    digests: frozenset[str]
    uris: frozenset[str]
    names: frozenset[str]
    vectors: Sequence[Sequence[float]]

    def in_bytes(self, content: bytes) -> set[str]:
        """Return the kinds of what is found in bytes of any form: `id`, `digest`, `vector`, `word`.

        >>> needles = Needles(frozenset([258 << 40]), frozenset(), frozenset(["ann/1.jpg"]), frozenset(), [])
        >>> sorted(needles.in_bytes(b"x" + (258 << 40).to_bytes(8, "big") + b" joann/1.jpg"))
        ['id', 'word']
        """
        return self._kinds(content, self._short, _anywhere)

    def in_compressed(self, content: bytes) -> set[str]:
        """Return what is found but words: of these a compressed form has pieces that end anywhere."""
        return self._kinds(content, [], _nowhere)

    def in_part(self, content: bytes) -> set[str]:
        """Return what is found in bytes of a known form: words are whole, or their length stands before them."""
        return self._kinds(content, self._short, _as_a_value)

    def in_text(self, text: str) -> set[str]:
        """Return what is found in a text, where words are whole and a name may be short."""
        return self._kinds(text.encode("utf-8", errors="surrogatepass"), [*self._short, *self._shortest], is_whole)

    def _kinds(self, content: bytes, short: Sequence[bytes], counts: _Counts) -> set[str]:
        """Return the kinds of what is found; `counts` says whether what looks like a word counts."""
        places = self._long.places_in(content)
        kinds = {kind for kind, start, end in places if kind != "word" or counts(content, start, end)}
        if any(counts(content, start, end) for each in short for start, end in _places(content, each)):
            kinds.add("word")
        numerals, lengths = self._numerals
        if any(numeral in numerals for numeral in decimals(content, lengths)):
            kinds.add("id")
        if any(numeral.lower().decode("ascii") in self.digests for numeral in digests(content)):
            kinds.add("digest")
        return kinds

    def in_numbers(self, numbers: npt.NDArray[np.integer]) -> bool:
        """Say whether an id is among numbers."""
        ids, low = self._ids
        wide = numbers.astype(np.int64, copy=False)
        near = wide[low[(wide & _LOW).astype(np.uint16)]]
        return bool(np.isin(near, ids).any())

    @cached_property
    def _spelt(self) -> Sequence[bytes]:
        """How uris and names may be written, but for the shortest."""
        return _written(each for each in (*self.uris, *self.names) if len(each.encode()) >= _LEAST_NAME)

    @cached_property
    def _shortest(self) -> Sequence[bytes]:
        return _written(each for each in (*self.uris, *self.names) if len(each.encode()) < _LEAST_NAME)

    @cached_property
    def _short(self) -> Sequence[bytes]:
        return [form for form in self._spelt if len(form) < TOKEN]

    @cached_property
    def _long(self) -> BytePatterns:
        words = (("word", form) for form in self._spelt if len(form) >= TOKEN)
        return BytePatterns([*_patterns(self), *words])

    @cached_property
    def _numerals(self) -> tuple[frozenset[bytes], frozenset[int]]:
        """The ids as they are written, and how many digits they have."""
        lengths = {len(str(abs(each))) for each in self.ids}
        fit = frozenset(each for each in lengths if SHORTEST <= each <= LONGEST)
        return frozenset(str(each).encode() for each in self.ids), fit

    @cached_property
    def _ids(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        """The ids, and which last 16 bits an id has."""
        ids, low = np.array(sorted(self.ids), np.int64), np.zeros(_LOW + 1, np.bool_)
        low[ids & _LOW] = True
        return ids, low


def _patterns(needles: Needles) -> Iterable[tuple[str, bytes]]:
    for each in needles.ids:
        yield from (("id", each.to_bytes(TOKEN, order, signed=True)) for order in ("little", "big"))
    for digest in needles.digests:
        yield "digest", bytes.fromhex(digest)
    for vector in needles.vectors:
        numbers = np.array(vector, np.float32)
        for kind in _NUMBERS if numbers.any() else ():
            content = numbers.astype(kind).tobytes()
            if len(content) >= TOKEN:
                yield "vector", content


def _written(words: Iterable[str]) -> Sequence[bytes]:
    return sorted({form.encode() for each in words if each for form in spellings(each)})


def _anywhere(_content: bytes, _start: int, _end: int) -> bool:
    return True


def _nowhere(_content: bytes, _start: int, _end: int) -> bool:
    return False


def _as_a_value(content: bytes, start: int, end: int) -> bool:
    return is_whole(content, start, end) or is_counted(content, start, end)


def _places(content: bytes, word: bytes) -> Iterator[tuple[int, int]]:
    start = content.find(word)
    while start >= 0:
        yield start, start + len(word)
        start = content.find(word, start + 1)

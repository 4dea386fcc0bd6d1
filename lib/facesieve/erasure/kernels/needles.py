"""What a proof looks for, and how it is found in bytes: ids, digests and vectors in every form that is stored.

| part | as bytes | as text |
| --- | --- | --- |
| id | 8 bytes, both orders | decimal |
| digest | 32 bytes | hex |
| vector | float16, float32, float64, both orders | |
| uri, name | | UTF-8, and as `words.spellings` says |

A uri or a name that is a piece of a longer word is another's, as `a/1.jpg` in `data/1.jpg`; which is `words`' matter. A
longer name that another bears, and a place where files lie, is theirs too. In bytes of a form that is not known any
piece counts.

Long patterns of bytes are looked for all at once (`byte_patterns`), and so are numerals (`numerals`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from facesieve.erasure.kernels.byte_patterns import TOKEN, BytePatterns
from facesieve.erasure.kernels.numerals import LONGEST, SHORTEST, decimals, digests
from facesieve.erasure.kernels.words import SHORT, is_alone, is_bare, is_counted, is_value, is_whole, spellings

_LOW = 0xFFFF
_Rule = Callable[[bytes, int, int], bool]
_Counts = Callable[[bytes, int, int, _Rule], bool]
_RULES = (is_alone, is_value, is_whole)
_NUMBERS = ("<f2", ">f2", "<f4", ">f4", "<f8", ">f8")


@dataclass(frozen=True)
class Needles:
    """The ids (images and faces), digests (hex), uris, names and vectors of a subject.

    others: longer names and places in which a name of the subject is another's.
    """

    ids: frozenset[int]
    digests: frozenset[str]
    uris: frozenset[str]
    names: frozenset[str]
    vectors: Sequence[Sequence[float]]
    others: frozenset[str] = frozenset()

    def in_bytes(self, content: bytes) -> set[str]:
        """Return the kinds of what is found in bytes of any form: `id`, `digest`, `vector`, `word`.

        >>> needles = Needles(frozenset([258 << 40]), frozenset(), frozenset(["ann/1.jpg"]), frozenset(), [])
        >>> sorted(needles.in_bytes(b"x" + (258 << 40).to_bytes(8, "big") + b" joann/1.jpg"))
        ['id', 'word']
        """
        return self._kinds(content, lambda _at, _start, _end, rule: rule is is_whole)

    def in_compressed(self, content: bytes) -> set[str]:
        """Return what is found but words: of these a compressed form has pieces that end anywhere."""
        return self._kinds(content, lambda _at, _start, _end, _rule: False)

    def in_part(self, content: bytes) -> set[str]:
        """Return what is found in bytes of a known form: words stand as in a text, or behind their length."""
        return self._kinds(
            content,
            lambda at, start, end, rule: rule(at, start, end) or (rule is not is_alone and is_counted(at, start, end)),
        )

    def in_text(self, text: str) -> set[str]:
        """Return what is found in a text."""
        return self._kinds(
            text.encode("utf-8", errors="surrogatepass"), lambda at, start, end, rule: rule(at, start, end)
        )

    def in_name(self, name: str) -> set[str]:
        """Return what is found in the name of a file below a place; each part of it is a value."""
        bare = any(self._rules.get(part.encode("utf-8", "surrogatepass")) is is_alone for part in name.split("/"))
        return self.in_text(name) | ({"word"} if bare else set())

    def may_be_in(self, content: bytes) -> bool:
        """Say whether something may be found in bytes of any form, or in any line of them."""
        return bool(self._kinds(content, lambda at, start, end, rule: rule is is_whole or rule(at, start, end)))

    def _kinds(self, content: bytes, counts: _Counts) -> set[str]:
        """Return the kinds of what is found; `counts` says whether what looks like a word counts."""
        kinds = set[str]()
        for kind, start, end in self._long.places_in(content):
            if kind != "word" or self._counts(content, start, end, counts):
                kinds.add(kind)
        places = (place for each in self._short for place in _places(content, each))
        if any(self._counts(content, start, end, counts) for start, end in places):
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

    def _counts(self, content: bytes, start: int, end: int, counts: _Counts) -> bool:
        word = content[start:end]
        if not counts(content, start, end, self._rules[word]):
            return False
        around = ((start - offset, theirs) for theirs, offset in self._theirs.get(word, ()))
        return not any(at >= 0 and content.startswith(theirs, at) for at, theirs in around)

    @cached_property
    def _rules(self) -> Mapping[bytes, _Rule]:
        """How uris and names may be written, and what makes each of these forms a word."""
        words = [each for each in (*self.uris, *self.names) if each]
        # Of two words that may be written alike the one counts that is found more easily.
        ordered = sorted(words, key=lambda each: _RULES.index(_rule(each)))
        return {form: _rule(each) for each in ordered for form in _written(each)}

    @cached_property
    def _theirs(self) -> Mapping[bytes, Sequence[tuple[bytes, int]]]:
        """Longer words of others, and where in each of them a form of a name of the subject stands."""
        longer = {form for each in self.others for form in _written(each)}
        return {
            word: [(each, start) for each in longer if each != word for start, _end in _places(each, word)]
            for name in self.names
            for word in _written(name)
        }

    @cached_property
    def _short(self) -> Sequence[bytes]:
        return sorted(form for form in self._rules if len(form) < TOKEN)

    @cached_property
    def _long(self) -> BytePatterns:
        words = (("word", form) for form in self._rules if len(form) >= TOKEN)
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


def _written(word: str) -> Sequence[bytes]:
    return sorted({form.encode("utf-8", errors="surrogatepass") for form in spellings(word)})


def _rule(word: str) -> _Rule:
    if is_bare(word):
        return is_alone
    return is_value if len(word.encode("utf-8", errors="surrogatepass")) < SHORT else is_whole


def _places(content: bytes, word: bytes) -> Iterator[tuple[int, int]]:
    start = content.find(word)
    while start >= 0:
        yield start, start + len(word)
        start = content.find(word, start + 1)

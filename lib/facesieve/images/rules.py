"""Which file of a tree is an image, and as what another is left out: by its name, else by its first bytes."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from facesieve.core.sections import Images
from facesieve.images import kinds
from facesieve.images.content import suffixes_of
from facesieve.images.packs.archive_uris import is_archive
from facesieve.images.protocol import Sort

_SUFFIX = re.compile(r"(?<=[^/])\.(?!\d+$)[a-z0-9_+-]{1,15}$")


class LeftOut(NamedTuple):
    """Why something is no image of the run: a kind, and what may be lost with it."""

    kind: str
    sort: Sort


@dataclass(frozen=True)
class Rules:
    """What counts as an image: suffixes in lower case with their dot, patterns of names, and whether links count.

    opens: which files, by their uris, are archives that are looked into.
    """

    suffixes: frozenset[str]
    ignore: tuple[str, ...] = ()
    follow_links: bool = False
    opens: Callable[[str], bool] = is_archive

    @classmethod
    def of(cls, images: Images) -> Rules:
        """Return what the section `images` of the configuration says."""
        return cls(frozenset(suffix.lower() for suffix in images.suffixes), images.ignore, images.follow_links)

    def litter(self, name: str) -> LeftOut | None:
        """Return the pattern that a name of a file or folder fits, whatever its case; None if none does."""
        folded = name.casefold()
        if not self._any.match(folded):
            return None
        patterns = (pattern for pattern in self.ignore if fnmatch.fnmatchcase(folded, pattern.casefold()))
        return LeftOut(next(patterns), Sort.LITTER)

    def litter_above(self, uri: str) -> LeftOut | None:
        """Return the pattern that a name on the way to a folder, or its own, fits."""
        return next(filter(None, map(self.litter, uri.split("/"))), None) if uri else None

    def left_out(self, name: str, head: Callable[[], bytes]) -> LeftOut | None:
        """Say as what a file is left out; None if it is an image by its suffix, or else by its first bytes.

        `head` reads those. It is called for a file without a suffix, or with one that is none of the usual.
        """
        if os.path.splitext(name)[1].lower() in self.suffixes:
            return None
        suffix = suffix_of(name)
        if suffix in kinds.TOLD_BY_SUFFIX:
            return of_kind(suffix)
        try:
            usual = suffixes_of(head())
        except FileNotFoundError:
            return of_kind(kinds.LINK_TO_NOTHING)
        except OSError:
            return of_kind(kinds.UNREADABLE_FILE)
        if self.suffixes & set(usual):
            return None
        return of_kind(usual[0] if usual else suffix or kinds.NO_SUFFIX)

    @cached_property
    def _any(self) -> re.Pattern[str]:
        patterns = [fnmatch.translate(pattern.casefold()) for pattern in self.ignore]
        return re.compile("|".join(patterns) if patterns else r"(?!)")


def suffix_of(name: str) -> str:
    """Return the suffix of a name in lower case; empty for a number, for a long one, and for other than plain letters.

    >>> suffix_of("a.JPG"), suffix_of("photo.jpg?w=640"), suffix_of("frame.0001"), suffix_of(".jpg")
    ('.jpg', '', '', '')
    """
    suffix = _SUFFIX.search(name.lower())
    return suffix[0] if suffix else ""


def of_kind(kind: str) -> LeftOut:
    """Return why something of a kind is left out."""
    return LeftOut(kind, kinds.sort_of(kind))

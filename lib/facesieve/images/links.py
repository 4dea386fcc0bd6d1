"""Links to folders that are walked like folders: which of them, so that each real folder is walked once.

The walk of the root tells of its links to folders, the walks of those tell of more, and so on. A link is not followed
if its folder, or one above it, is walked already: a loop ends there. Of two links to one folder the first by name is.
Walks end at folders that another walk begins with (`cut`), so that no order of walks lists a file twice.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from facesieve.images import kinds
from facesieve.images.rules import Rules, of_kind
from facesieve.images.storage import Storage
from facesieve.images.uris import to_uri
from facesieve.images.walk import WHOLE, Entry, Part, Place, local_path, place, walk

MOST_LINKS = 200_000
"""Links to folders that one round of walks may tell of and that are followed; the others are counted."""


class Links:
    """The folders at which walks begin: the root, and the targets of the links that are followed."""

    def __init__(self, storage: Storage, rules: Rules) -> None:
        self._storage, self._rules = storage, rules
        self._begun = {place(storage.local(b""))} if storage.folder else set[Place]()

    @property
    def cut(self) -> frozenset[Place]:
        """The folders that no walk may enter from above."""
        return frozenset(self._begun)

    def follow(self, links: Iterable[str]) -> list[str]:
        """Return those links whose folder no walk comes to, in the order of their uris."""
        return [uri for uri in sorted(links) if self._begins(uri)]

    def _begins(self, uri: str) -> bool:
        target = os.path.realpath(local_path(self._storage, uri))
        try:
            if self._is_walked(target):
                return False
            self._begun.add(place(target))
        except OSError:
            return False
        return True

    def _is_walked(self, target: bytes) -> bool:
        """Whether a walk comes to a real folder: one that begins above it, if no name between is litter."""
        above = target
        while place(above) not in self._begun:
            if above == os.path.dirname(above):
                return False
            above = os.path.dirname(above)
        between = os.path.relpath(target, above)
        return between == b"." or self._rules.litter_above(to_uri(between)) is None


def walk_all(storage: Storage, rules: Rules) -> Iterator[Entry]:
    """Yield what `walk` does of the whole tree and, if the rules say so, of what its links lead to."""
    if not rules.follow_links:
        yield from walk(storage, WHOLE, rules)
        return
    links, starts = Links(storage, rules), [""]
    while starts:
        onward: list[str] = []
        for start in starts:
            for entry in walk(storage, Part(start), rules, links.cut):
                if entry.ignored == kinds.LINK_TO_FOLDER and len(onward) < MOST_LINKS:
                    onward.append(entry.uri)
                else:
                    yield entry
        starts = links.follow(onward)
        yield from (Entry(uri, None, None, *of_kind(kinds.LINK_LISTED)) for uri in set(onward) - set(starts))

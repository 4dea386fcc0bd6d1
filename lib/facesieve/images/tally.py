"""Counts of what is left out of a tree, by kind, with the uri of one thing of each."""

from __future__ import annotations

from facesieve.images.protocol import Ignored, IgnoredKind, Sort
from facesieve.images.walk import Entry


class Tally:
    """Counts by kind and sort."""

    def __init__(self) -> None:
        self._counts = dict[tuple[str, Sort], tuple[int, str]]()

    def add(self, entry: Entry) -> None:
        """Count one entry that is left out."""
        if entry.ignored is not None and entry.sort is not None:
            self.count(entry.ignored, entry.sort, 1, entry.uri)

    def count(self, kind: str, sort: Sort, files: int, example: str) -> None:
        """Count things of one kind, of which `example` is the first by uri."""
        if files:
            before, first = self._counts.get((kind, sort), (0, example))
            self._counts[kind, sort] = before + files, min(first, example)

    def rows(self) -> list[Entry]:
        """Return an entry for each kind: its size is the count, its uri the first."""
        return [Entry(first, files, None, kind, sort) for (kind, sort), (files, first) in self._counts.items()]

    def ignored(self) -> Ignored:
        """Return the counts, the greatest first."""
        kinds = [IgnoredKind(kind, sort, files, first) for (kind, sort), (files, first) in self._counts.items()]
        return Ignored(tuple(sorted(kinds, key=lambda each: (-each.files, each.kind, each.sort))))

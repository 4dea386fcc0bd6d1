"""Tags of runs: which version of a table each of the last runs has published, and which of them are kept.

A tag bears neither a time nor a maker. So the table's property `facesieve.tags` notes the tags that publications have
set, in their order. A tag that is not noted, or that stands elsewhere than noted, is somebody else's and is left alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

NOTE = "facesieve.tags"


def tag_of(run: str) -> str:
    """Return the name of a run's tag.

    >>> tag_of("20261124T081500-3fa9")
    'run-20261124T081500-3fa9'
    """
    return f"run-{run}"


@dataclass(frozen=True)
class Tags:
    """The tags that publications have set (name -> snapshot, the oldest first), and all other references by name."""

    own: dict[str, int]
    others: frozenset[str] = frozenset()

    @classmethod
    def of(cls, heads: Mapping[str, int], note: str | None) -> Tags:
        """Tell own tags from others by the note."""
        own = {name: snapshot for name, snapshot in _noted(note).items() if heads.get(name) == snapshot}
        return cls(own, frozenset(heads) - frozenset(own))

    def published(self, run: str, snapshot: int, keep: int) -> Tags:
        """Return the tags after a run has published a snapshot: the newest `keep`.

        A run whose tag somebody else has set gets none.
        """
        name = tag_of(run)
        own = {each: at for each, at in self.own.items() if each != name}
        if name not in self.others:
            own[name] = snapshot
        return Tags(own, self.others).newest(keep)

    def newest(self, keep: int) -> Tags:
        """Return the tags that stay where so many are kept."""
        return Tags(dict(list(self.own.items())[-keep:] if keep else ()), self.others)

    def without(self, run: str) -> Tags:
        """Return the tags after a run was undone."""
        return Tags({name: at for name, at in self.own.items() if name != tag_of(run)}, self.others)

    def note(self) -> str:
        """Return the note of the own tags."""
        return json.dumps(dict(self.own))

    def at(self, snapshot: int) -> str | None:
        """Return the newest own tag that stands at a snapshot; None if none does."""
        return next((name for name, at in reversed(self.own.items()) if at == snapshot), None)


def _noted(note: str | None) -> dict[str, int]:
    """Read a note. One that somebody has written over notes no tag: all tags are somebody else's then."""
    try:
        noted = json.loads(note or "{}")
    except ValueError:
        return {}
    return noted if isinstance(noted, dict) else {}

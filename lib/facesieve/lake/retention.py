"""Which snapshots of the tables must stay: all that a reader, an undo or the next run goes back to.

| what stays | who needs it |
| --- | --- |
| what a branch or a tag stands at, `main` above all, in all its files | every reader, and a run that is at work |
| what the newest `done` run left | readers: the consistent reading point |
| what a run of the last days found and left, and each table's first, empty version | undo |
| snapshots of the last days | going back to earlier settings |
| in `embeddings`, all from what such versions of `edges` were made from | linking only what is new |
| the parent of a rewrite that does not tell itself which version it is | reuse by key |
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from facesieve.core.tables import EDGES, EMBEDDINGS, RUNS
from facesieve.lake.iceberg import Commit
from facesieve.lake.ledger import Entry, newest_first
from facesieve.lake.versions import KEY, inputs_of

Ids = set[int]


class History(NamedTuple):
    """All snapshots of a table, the oldest first, and those at which a branch or a tag stands."""

    commits: Sequence[Commit]
    heads: frozenset[int]


@dataclass(frozen=True)
class Retention:
    """What must stay: nothing younger than `oldest` goes, and nothing that the runs of the ledger need."""

    oldest: datetime
    entries: Sequence[Entry]

    def expirable(self, histories: Mapping[str, History]) -> dict[str, list[int]]:
        """Return by table the ids of the snapshots that nobody needs, the oldest first."""
        anchors = {name: self._anchors(name, history) for name, history in histories.items()}
        staying = {name: set(ids) for name, ids in anchors.items()}
        if EDGES.name in histories and EMBEDDINGS.name in histories:
            for version in _embeddings_of(histories[EDGES.name], anchors[EDGES.name]):
                staying[EMBEDDINGS.name] |= _way_to(version, histories[EMBEDDINGS.name], anchors[EMBEDDINGS.name])
        for name, history in histories.items():
            staying[name] |= _parents(history, staying[name])
        return {
            name: [commit.id for commit in history.commits if commit.id not in staying[name]]
            for name, history in histories.items()
        }

    def _anchors(self, name: str, history: History) -> Ids:
        young = {commit.id for commit in history.commits if commit.at >= self.oldest.timestamp() * 1_000}
        empty = {commit.id for commit in history.commits if name != RUNS.name and not _stamped(commit)}
        noted = (version for entry in self._needed() for version in _of_table(entry, name))
        return young | empty | _at_heads(history) | {id for version in noted for id in _all_of(version, history)}

    def _needed(self) -> list[Entry]:
        """Return the runs that may be undone, and the newest that readers read."""
        done = [entry for entry in newest_first(self.entries) if entry.status == "done"]
        recent = [entry for entry in self.entries if entry.last >= self.oldest]
        return [*done[:1], *recent]


def running(entries: Sequence[Entry], now: datetime, longest: timedelta) -> list[Entry]:
    """Return the runs that may be at work, the newest first.

    A run is not if it began longer ago than `longest`. Nor is one if a later run is done: whatever it still commits
    is refused, since the tables have moved.
    """
    began = (entry for entry in newest_first(entries) if entry.status == "started" and entry.started > now - longest)
    done = max((entry.last for entry in entries if entry.status == "done"), default=None)
    return [entry for entry in began if done is None or entry.started > done]


def _of_table(entry: Entry, name: str) -> Iterator[int]:
    yield from (at[name] for at in (entry.before, entry.after) if name in at)


def _stamped(commit: Commit) -> bool:
    """Say whether a snapshot is more than the first, empty one."""
    return commit.parent is not None or bool(commit.stamp.get(KEY))


def _at_heads(history: History) -> Ids:
    """Return the heads, and the snapshots with the same rows: a run that began before a rewrite reads these."""
    versions = {commit.origin for commit in history.commits if commit.id in history.heads}
    return set(history.heads) | {commit.id for commit in history.commits if commit.origin in versions}


def _all_of(version: int, history: History) -> Ids:
    """Return the snapshot itself, and the newest with the same rows."""
    same = [commit.id for commit in history.commits if version in (commit.id, commit.origin)]
    return {version, *same[-1:]}


def _embeddings_of(edges: History, ids: Ids) -> Iterator[int]:
    """Yield the versions of `embeddings` that some versions of `edges` were made from."""
    inputs = (inputs_of(commit) for commit in edges.commits if commit.id in ids)
    yield from (made_from[EMBEDDINGS.name] for made_from in inputs if EMBEDDINGS.name in made_from)


def _way_to(version: int, history: History, starts: Iterable[int]) -> Ids:
    """Return the snapshots of a version, with all that lie between it and the snapshots `starts`."""
    wanted = _all_of(version, history)
    by_id = {commit.id: commit for commit in history.commits}
    staying = set(wanted)
    for start in starts:
        way, at = Ids(), by_id.get(start)
        while at is not None and at.id not in wanted:
            way.add(at.id)
            at = by_id.get(at.parent or -1)
        staying |= way if at is not None else Ids()
    return staying


def _parents(history: History, ids: Ids) -> Ids:
    """Return the snapshots by which alone a rewrite of files is known."""
    by_id = {commit.id: commit for commit in history.commits}
    parents = Ids()
    for id in ids:
        at = by_id.get(id)
        while at is not None and at.leans:
            at = by_id.get(at.parent or -1)
            parents |= {at.id} if at is not None else Ids()
    return parents

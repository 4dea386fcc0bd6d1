"""Branches, tags and properties of one table, changed in a single commit that does not overwrite what others did."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from py4j.protocol import Py4JJavaError

from facesieve.lake.iceberg import MAIN, IcebergTable


@dataclass(frozen=True)
class Movement:
    """What one commit does: branches and tags to set (name -> snapshot), those that go, properties to set.

    What is to go need not be there.
    """

    branches: Mapping[str, int] = field(default_factory=dict)
    tags: Mapping[str, int] = field(default_factory=dict)
    dropped: Collection[str] = ()
    properties: Mapping[str, str] = field(default_factory=dict)


def commit(table: IcebergTable, movement: Movement, since: int | None = None) -> bool:
    """Commit a movement; False, and nothing is changed, if `main` does not stand at `since` or somebody was faster.

    A branch of the name of a tag, or the other way round, is Java's IllegalArgumentException.
    """
    # This loads the table anew: what is read below is what the commit begins with.
    transaction = table.java.newTransaction()
    heads = table.heads()
    if since is not None and heads.get(MAIN) != since:
        return False
    _move(table, transaction.manageSnapshots(), heads, movement)
    if movement.properties:
        _set(transaction.updateProperties(), movement.properties)
    try:
        transaction.commitTransaction()
    except Py4JJavaError as problem:
        if "CommitFailed" in str(problem):
            return False
        raise
    return True


def is_tag(table: IcebergTable, name: str) -> bool:
    """Say whether there is a tag of that name."""
    reference = table.java.refs().get(name)
    return reference is not None and bool(reference.isTag())


def _move(table: IcebergTable, change: Any, heads: Mapping[str, int], movement: Movement) -> None:
    for name, snapshot in movement.branches.items():
        _ = change.replaceBranch(name, snapshot) if name in heads else change.createBranch(name, snapshot)
    for name, snapshot in movement.tags.items():
        _ = change.replaceTag(name, snapshot) if name in heads else change.createTag(name, snapshot)
    for name in sorted(set(movement.dropped) & set(heads)):
        _ = change.removeTag(name) if is_tag(table, name) else change.removeBranch(name)
    change.commit()


def _set(update: Any, properties: Mapping[str, str]) -> None:
    for name, value in properties.items():
        update.set(name, value)
    update.commit()

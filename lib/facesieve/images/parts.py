"""Cutting a tree of files into parts of a walk, for as many tasks."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import islice

from facesieve.images.patience import refuse_outage
from facesieve.images.storage import Storage
from facesieve.images.walk import Part, Place, folders

MOST_FOLDERS = 10_000
"""Folders in one folder that the process which cuts a tree into parts holds by name; beyond, their names are dealt."""


def parts(
    storage: Storage, wanted: int, starts: Sequence[str] = ("",), cut: frozenset[Place] = frozenset()
) -> list[Part]:
    """Cut the trees below some folders into at least `wanted` parts, if they have so many folders.

    starts: uris of folders; the root alone by default. cut: folders that no walk enters. Raises OSError if the root
    cannot be read.

    Folders are opened level by level until there are enough. One that holds more than MOST_FOLDERS others is not
    opened but dealt out in `wanted` shares, each of which lists it again: however wide or large the tree, this process
    holds no more than a bounded number of names.
    """
    dealt: list[Part] = []
    pending = deque(starts)
    while pending and len(dealt) + len(pending) < wanted:
        folder = pending.popleft()
        try:
            below = list(islice(folders(storage, folder, cut), MOST_FOLDERS + 1))
        except OSError as problem:
            refuse_outage(storage.root, problem)
            if not folder:
                raise
            below = []  # whoever walks it says that it cannot be read
        if len(below) > MOST_FOLDERS:
            dealt += [Part(folder, True, share, wanted) for share in range(wanted)]
        else:
            dealt.append(Part(folder, deep=False))
            pending.extend(sorted(below))
    return dealt + [Part(folder) for folder in pending]

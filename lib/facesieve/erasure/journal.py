"""The journal of an erasure: what a killed one needs to be finished. It is deleted at the end.

It holds what is to be erased, since the tables do not any more once they are rewritten. It lies in the scratch folder.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from facesieve.erasure.subject import Renames, Subject
from facesieve.images.storage import Storage

FILE = "erasure.json"


@dataclass(frozen=True)
class Journal:
    """One erasure.

    name: of the erasure. choice: digest of the selectors. began: time, ISO.
    versions: what each table stood at, table -> snapshot id and version. by, basis: as they were given.
    buried: images that get tombstones, by their id alone; None: all, and their content. runs: rows of the ledger that
    go.
    """

    name: str
    choice: str
    began: str
    subject: Subject
    renames: Renames = ()
    versions: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    by: str = ""
    basis: str = ""
    buried: tuple[int, ...] | None = None
    runs: tuple[str, ...] = ()


def read(place: str) -> Journal:
    """Read the journal that lies in a folder. Raises OSError."""
    written = json.loads(Storage(place).read(FILE))
    subject = Subject.from_json(written.pop("subject"))
    renames = tuple((scope, former, new) for scope, former, new in written.pop("renames"))
    versions = {table: (at, version) for table, (at, version) in written.pop("versions").items()}
    buried, runs = written.pop("buried", None), tuple(written.pop("runs", ()))
    chosen = None if buried is None else tuple(buried)
    return Journal(subject=subject, renames=renames, versions=versions, buried=chosen, runs=runs, **written)


def write(place: str, journal: Journal) -> None:
    """Write the journal to a folder, whole or not at all. Raises OSError."""
    Storage(place).write(FILE, json.dumps(asdict(journal)).encode())


def delete(place: str) -> None:
    """Delete the journal, if it is there."""
    Storage(place).delete_tree(FILE)

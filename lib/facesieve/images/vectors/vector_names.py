"""Where the names of vectors are: in members of the same archive, or in files beside the vectors."""

from __future__ import annotations

from typing import NamedTuple

from facesieve.core.sections import Columns
from facesieve.images.storage import Storage
from facesieve.images.vectors.arrays import Array, NotAnArray, arrays_of

_NAMES = (".meta", ".txt")
_OTHER_NAMES = {
    "uri": ("uris", "path", "paths", "file", "files", "filename", "filenames"),
    "identity": ("identities", "label", "labels", "name", "names"),
}
"""What members of an archive are called that `[images.columns]` does not name."""


class Names(NamedTuple):
    """Names of rows: an array, or (without one) the lines of a text file."""

    file: str
    array: Array | None = None


class Candidate(NamedTuple):
    """A file below the root: its name, bytes, and microseconds since 1970."""

    name: str
    size: int
    modified: int | None


class Beside(NamedTuple):
    """Where names may be: the files below the root, the configuration, and folders of one file of vectors alone."""

    storage: Storage
    files: dict[str, Candidate]
    columns: Columns
    alone: frozenset[str]


def member(lists: dict[str, Array], role: str, name: str, rows: int) -> Names | None:
    """Find the list of an archive that names its vectors: as the configuration calls it, else as people do.

    Raises NotAnArray if it has another length, or is not there although somebody named it.
    """
    own = lists.get(name) if name else None
    if own is not None and own.rows != rows:
        raise NotAnArray(f"{own.name} holds {rows} vectors, and {own.rows} names in {name}")
    if own is None and name == getattr(Columns(), role):
        usual = [lists[each] for each in _OTHER_NAMES[role] if each in lists and lists[each].rows == rows]
        own = usual[0] if usual else None
    elif own is None and name:
        raise NotAnArray(f"images.columns.{role}: there is no list {name} beside the vectors")
    return Names(own.name, own) if own else None


def companion(beside: Beside, name: str, role: str, column: str, rows: int) -> Names | None:
    """Find the file of names beside vectors.

    Raises NotAnArray if it has another number of names, or is not there although somebody named it.
    """
    folder, stem = folder_of(name), name.rpartition("/")[2].rpartition(".")[0]
    places = [f"{folder}{stem}.meta", f"{folder.removesuffix('features/')}labels/{stem}.meta"]
    wanted = places if role == "identity" else []
    if column and folder in beside.alone:
        wanted += [f"{folder}{column}{suffix}" for suffix in (".npy", *_NAMES)]
    for each in wanted:
        if each in beside.files and each != name:
            return _checked(beside.storage, each, rows, name)
    if column and column != getattr(Columns(), role):
        fix = "" if folder in beside.alone else ", or there are other vectors"
        raise NotAnArray(f"images.columns.{role}: beside {name} is no {column}.npy, {column}.txt or {column}.meta{fix}")
    return None


def _checked(storage: Storage, names: str, rows: int, vectors: str) -> Names:
    array = arrays_of(storage, names)[0] if names.endswith(".npy") else None
    if array is not None and not array.is_list:
        raise NotAnArray(f"{names} is no list of names")
    number = array.rows if array is not None else _lines(storage, names)
    if number != rows:
        raise NotAnArray(f"{vectors} holds {rows} vectors, and {names} {number} names")
    return Names(names, array)


def _lines(storage: Storage, name: str) -> int:
    """Count the lines of a text file, without holding them."""
    lines, last = 0, b"\n"
    with storage.ask(name, lambda files, path: files.open_input_stream(path)) as stream:
        while content := stream.read(1 << 20):
            lines += content.count(b"\n")
            last = content[-1:]
    return lines + (last != b"\n")


def folder_of(name: str) -> str:
    """Return the folder of a file, with its slash."""
    return name.rpartition("/")[0] + "/" if "/" in name else ""

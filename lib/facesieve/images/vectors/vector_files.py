"""The array files of a set of vectors, and where the names of their rows are.

- `.npz`: the only member of two dimensions, and members of as many names as it has rows.
- `.npy`, `.bin`: the names are in `NAME.meta` beside it (one identity a line, as learn-to-cluster has it), or in
  `labels/NAME.meta` beside a folder `features`. Where the folder holds one file of vectors alone, the files `uri` and
  `identity` of `[images.columns]` beside it count too, as `.npy`, `.txt` or `.meta`.

The list is in the memory of the driver: its length is that of the files, not of the vectors.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from pyarrow.fs import FileType

from facesieve.core.errors import first_line
from facesieve.core.sections import Columns
from facesieve.images.kinds import sort_of
from facesieve.images.parquet_files import EveryFile
from facesieve.images.protocol import Ignored
from facesieve.images.storage import Storage
from facesieve.images.tally import Tally
from facesieve.images.uris import to_name
from facesieve.images.vectors.arrays import Array, NotAnArray, arrays_of, headerless
from facesieve.images.vectors.vector_names import Beside, Candidate, Names, companion, folder_of, member
from facesieve.images.walk import WHOLE, Part, walk

SUFFIXES = (".npy", ".npz", ".bin")


@dataclass(frozen=True)
class VectorFile:
    """Vectors, the names of their rows where there are any, and the file's time (microseconds since 1970) and size.

    times: of the files of names.
    """

    vectors: Array
    modified: int | None = None
    size: int = 0
    uris: Names | None = None
    identities: Names | None = None
    times: tuple[int | None, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether it must be read from the beginning, in one task."""
        arrays = (self.vectors, *(names.array for names in (self.uris, self.identities) if names))
        return any(array is not None and array.start is None for array in arrays)


@dataclass
class VectorFiles:
    """The files in the order of their names, what is beside them, and what is wrong with some."""

    files: list[VectorFile] = field(default_factory=list)
    beside: Ignored = field(default_factory=Ignored)
    problems: list[str] = field(default_factory=list)

    @property
    def dimensions(self) -> list[int]:
        """How many numbers the vectors have: one number for each kind."""
        return sorted({file.vectors.width for file in self.files})


def names_below(root: str) -> list[str]:
    """Return the names of the files at or below a root; none where it cannot be read."""
    try:
        place = place_of(root)
        return [place.only] if place.only else sorted(_candidates(place))
    except OSError:
        return []


class VectorPlace(NamedTuple):
    """Where vectors are: below a root, or (`only`) in one file of it."""

    storage: Storage
    only: str = ""


def place_of(root: str) -> VectorPlace:
    """Say where `images.root` leads. A file is seen from the folder above `features`, as its names may lie beside that.

    Raises OSError if the root cannot be read.
    """
    storage = Storage(root)
    kind = storage.kind()
    if kind == FileType.NotFound:
        raise FileNotFoundError(root)
    if kind != FileType.File:
        return VectorPlace(storage)
    above, name = (str(storage.folder or root).rpartition("/")[part] for part in (0, 2))
    if above.endswith("/features"):
        above, name = above.removesuffix("/features"), f"features/{name}"
    return VectorPlace(Storage(above or "/"), name)


def vector_files(place: VectorPlace, columns: Columns, dimension: int) -> VectorFiles:
    """List the array files at or below a root, in all folders. Raises OSError."""
    listed, every = VectorFiles(), _candidates(place)
    by_name = [every[name] for name in sorted(every) if is_array_file(name) and place.only in ("", name)]
    headers = [(each, _headers(place.storage, each, dimension, listed.problems)) for each in by_name]
    beside = Beside(place.storage, every, columns, _folders_of_one(headers))
    for each, arrays in headers:
        matrices = [array for array in arrays if array.is_matrix]
        if len(matrices) == 1:
            _add(listed, beside, each, arrays)
        elif matrices:
            names = ", ".join(array.member.removesuffix(".npy") for array in matrices)
            listed.problems.append(f"{each.name} holds several arrays of vectors ({names}): keep one")
    if not place.only:
        used = {file.vectors.name for file in listed.files}
        used |= {names.file for file in listed.files for names in (file.uris, file.identities) if names}
        listed.beside = _ignored(name for name in every if name not in used)
    return listed


def is_array_file(name: str) -> bool:
    """Say by its name whether a file may hold arrays."""
    return name.lower().endswith(SUFFIXES)


def _folders_of_one(headers: list[tuple[Candidate, list[Array]]]) -> frozenset[str]:
    """Return the folders with one file of vectors alone."""
    folders = [folder_of(each.name) for each, arrays in headers if any(array.is_matrix for array in arrays)]
    return frozenset(folder for folder in folders if folders.count(folder) == 1)


def _candidates(place: VectorPlace) -> dict[str, Candidate]:
    """List files by name; beside a single file only what is in its folder, and in that of its labels."""
    if place.only:
        folders = (folder_of(place.only).rstrip("/"), "labels")
        parts = [Part(each, deep=False) for each in folders if place.storage.exists(each)]
    else:
        parts = [WHOLE]
    every = dict[str, Candidate]()
    for entry in (entry for part in parts for entry in walk(place.storage, part, EveryFile(frozenset()))):
        name = to_name(entry.uri).decode(errors="replace")
        hidden = any(part.startswith((".", "_")) for part in name.split("/"))
        if entry.ignored is None and not hidden:
            every[name] = Candidate(name, entry.size or 0, entry.modified)
    return every


def _headers(storage: Storage, file: Candidate, dimension: int, problems: list[str]) -> list[Array]:
    try:
        if file.name.lower().endswith(".bin"):
            return [headerless(file.name, file.size, dimension)]
        return arrays_of(storage, file.name)
    except NotAnArray as problem:
        problems.append(f"{file.name} {problem}")
    except OSError as problem:
        problems.append(f"{file.name} cannot be read ({first_line(problem)})")
    return []


def _add(listed: VectorFiles, beside: Beside, file: Candidate, arrays: list[Array]) -> None:
    vectors = next(array for array in arrays if array.is_matrix)
    if vectors.by_columns and vectors.start is None:
        listed.problems.append(f"{file.name} is compressed column by column: save numpy.ascontiguousarray(vectors)")
        return
    wanted = {"uris": ("uri", beside.columns.uri), "identities": ("identity", beside.columns.identity)}
    try:
        if vectors.member:
            lists = {array.member.removesuffix(".npy"): array for array in arrays if array.is_list}
            names = {to: member(lists, *role, vectors.rows) for to, role in wanted.items()}
        else:
            names = {to: companion(beside, file.name, *role, vectors.rows) for to, role in wanted.items()}
    except NotAnArray as problem:
        listed.problems.append(str(problem))
        return
    times = tuple(beside.files[each.file].modified for each in names.values() if each)
    listed.files.append(VectorFile(vectors, file.modified, file.size, times=times, **names))


def _ignored(names: Iterable[str]) -> Ignored:
    tally = Tally()
    for name in names:
        kind = f".{name.rpartition('/')[2].rpartition('.')[2].lower()}"
        tally.count(kind, sort_of(kind), 1, name)
    return tally.ignored()

"""The side input `cluster.constraints`: pairs of faces that people wrote, checked, and resolved to faces of the run."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from pyspark.sql import DataFrame
from pyspark.sql import Row as FrameRow
from pyspark.sql import functions as F

from facesieve.cluster.constraints import NONE, Constraints
from facesieve.cluster.frames import LISTED_FACES, ListedFaces, Photos
from facesieve.cluster.kernels.constraints import contradiction
from facesieve.core.errors import ConfigError, Fault
from facesieve.images import side_tables
from facesieve.images.side_tables import Entries, Problem, Reader, Row

KEY = "cluster.constraints"

_KINDS = ("must", "cannot")
_FACES, _IMAGES = ("face_a", "face_b"), ("image_a", "image_b")
_COLUMNS_FIX = "Write the columns kind, face_a, face_b (or image_a, image_b, or all four)."
_PAIR_FIX = "Name two faces or two images, and leave the other two fields empty."


class ConstraintRow(NamedTuple):
    """One row: where it stands, whether the two must or cannot be together, whether they are images, their ids."""

    place: str
    must: bool
    images: bool
    smaller: int
    greater: int


Pairs = dict[tuple[int, int], ConstraintRow]
"""By two faces, the smaller id first."""


def read_constraints(path: str) -> Entries[ConstraintRow]:
    """Read the pairs that `cluster.constraints` names; there are none where it is empty.

    Raises ConfigError with what is wrong in the file.
    """
    return side_tables.entries(KEY, path, Reader(_column_problems, _row))


def constraints(
    file: Entries[ConstraintRow], faces: ListedFaces, warn: Callable[[str], None], *, photos_differ: bool
) -> Constraints:
    """Resolve the rows of a file to faces of the run: an image means its largest face.

    Ids that are not among the faces are counted and warned of once. `photos_differ`: two faces of one image are two
    people. Raises ConfigError with the shortest contradiction if there is one. Without rows no Spark job runs.
    """
    photos = Photos(faces.select("face_id", "image_id")) if photos_differ else None
    if not file.rows:
        return replace(NONE, photos=photos)
    named = _named(file.rows, faces)
    must, cannot, missing = _resolved(file.rows, named)
    if missing:
        warn(f"{KEY}: {missing} ids in {file.path} are of no face of this run: the rows that name them are left out")
    _refuse_contradiction(file.path, must, cannot, list(named.values()) if photos_differ else [])
    in_folder = [_same_identity(named[smaller], named[greater]) for smaller, greater in sorted(must)]
    return Constraints(_array(must), _array(cannot), np.array(in_folder, dtype=np.bool_), photos)


class _Face(NamedTuple):
    """A face that a row names: columns as `LISTED_FACES`."""

    face_id: int
    image_id: int
    face_rank: int
    identity: str | None


def _column_problems(columns: frozenset[str]) -> list[Problem]:
    missing = [] if "kind" in columns else ["has no column kind"]
    for name, partner in (_FACES, _IMAGES, _FACES[::-1], _IMAGES[::-1]):
        if name in columns and partner not in columns:
            missing.append(f"has {name} without {partner}")
    if not columns & {*_FACES, *_IMAGES}:
        missing.append("has no columns of two faces or two images")
    return [Problem(text, _COLUMNS_FIX) for text in missing]


def _row(row: Row) -> ConstraintRow | list[Problem]:
    """Read one row; or return all that is wrong with it."""
    kind = row.text("kind") or ""
    problems = [] if kind in _KINDS else [Problem(f"kind {kind!r} is not known", "Use must or cannot.")]
    filled = tuple(name for name in (*_FACES, *_IMAGES) if row.text(name))
    ids = [row.id(name) for name in filled]
    problems += [row.no_id(name) for name, number in zip(filled, ids, strict=True) if number is None]
    problems = [Problem(f"{row.place}: {text}", fix) for text, fix in problems]
    if filled not in (_FACES, _IMAGES):
        problems.append(Problem(f"{row.place} names {' and '.join(filled) or 'nothing'}", _PAIR_FIX))
    elif None not in ids and len(set(ids)) == 1:
        problems.append(Problem(f"{row.place} pairs {ids[0]} with itself", "Remove the row."))
    if problems:
        return problems
    smaller, greater = sorted(number for number in ids if number is not None)
    return ConstraintRow(row.place, kind == "must", filled == _IMAGES, smaller, greater)


def _named(rows: Iterable[ConstraintRow], faces: ListedFaces) -> dict[int, _Face]:
    """Collect the faces that the rows name, by face_id."""
    ids = {images: {end for row in rows if row.images == images for end in row[3:]} for images in (False, True)}
    columns = faces.select(*LISTED_FACES.names)
    largest = columns.where("face_rank = 0")
    matching = [_matching(columns, "face_id", ids[False]), _matching(largest, "image_id", ids[True])]
    return {row["face_id"]: _Face(*row) for row in itertools.chain(*matching)}


def _matching(faces: DataFrame, column: str, ids: set[int]) -> list[FrameRow]:
    if not ids:
        return []
    wanted = faces.sparkSession.createDataFrame([(number,) for number in sorted(ids)], f"{column} long")
    return faces.join(F.broadcast(wanted), column, how="left_semi").select(*LISTED_FACES.names).collect()


def _resolved(rows: Iterable[ConstraintRow], named: dict[int, _Face]) -> tuple[Pairs, Pairs, int]:
    """Return the must-links and the cannot-links by pair of faces, and the number of ids without a face."""
    face_of = {face.image_id: face.face_id for face in named.values() if face.face_rank == 0}
    must: Pairs = {}
    cannot: Pairs = {}
    missing = set()
    for row in rows:
        ends = [face_of.get(end) if row.images else end for end in row[3:]]
        present = [end for end in ends if end in named]
        missing |= {(row.images, end) for end, face in zip(row[3:], ends, strict=True) if face not in named}
        if len(present) == 2:
            (must if row.must else cannot).setdefault((min(present), max(present)), row)
    return must, cannot, len(missing)


def _refuse_contradiction(path: str, must: Pairs, cannot: Pairs, in_photos: list[_Face]) -> None:
    """Raise ConfigError if what must be together cannot; groups are the cannot-links, then the photographs."""
    apart = sorted(cannot)
    photos = sorted({face.image_id for face in in_photos})
    group_of = {image: group for group, image in enumerate(photos, len(apart))}
    rows = [(face, group) for group, pair in enumerate(apart) for face in pair]
    rows += [(face.face_id, group_of[face.image_id]) for face in in_photos]
    members = _array(rows)
    shortest = contradiction(_array(must), members[:, 0], members[:, 1])
    if shortest is None:
        return
    photo = "" if shortest.group < len(apart) else str(photos[shortest.group - len(apart)])
    raise ConfigError([_fault(path, shortest.path, must, cannot, photo)])


def _fault(path: str, faces: list[int], must: Pairs, cannot: Pairs, photo: str) -> Fault:
    """Write the chain of links, from face to face, and where they stand."""
    steps = list(itertools.pairwise(faces))
    chain = [must[min(step), max(step)] for step in steps]
    links = [_link(step, row) for step, row in zip(steps, chain, strict=True)]
    ends, fix = (faces[0], faces[-1]), "Remove or change one of these rows"
    if photo:
        links.append(f"but {ends[0]} and {ends[1]} are two faces of photo {photo}")
        fix += ", or set cluster.same_photo_differs = false"
    else:
        chain.append(cannot[ends])
        links.append(_link(ends, cannot[ends]))
    places = ", ".join(row.place for row in chain)
    return Fault(KEY, f"{path} contradicts itself: {', '.join(links)} ({places})", f"{fix}.")


def _link(pair: tuple[int, int], row: ConstraintRow) -> str:
    """Write a link as faces, and with the images where those were named."""
    images = f" (images {row.smaller} and {row.greater})" if row.images else ""
    return f"{_KINDS[not row.must]} {pair[0]} and {pair[1]}{images}"


def _same_identity(face: _Face, other: _Face) -> bool:
    return face.identity is not None and face.identity == other.identity


def _array(pairs: Iterable[tuple[int, int]]) -> npt.NDArray[np.int64]:
    return np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)

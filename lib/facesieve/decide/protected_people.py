"""Whom `decide.protected` names: people (of an evaluation set, say) who are to be kept out of the cleaned data set.

Another lake, a folder of images, verification sets, a list of images or folders of this run, or embeddings that another
program exported. Only embeddings of this run's model can be compared. Nothing here writes to the lake.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import reduce
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow.fs import FileType
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.core.console import count
from facesieve.core.errors import ConfigError, Fault, first_line
from facesieve.core.places import absolute, is_below
from facesieve.core.pseudonyms import names_key, pseudonym
from facesieve.decide.listed_names import listed_names
from facesieve.decide.overlap import ProtectedFaces
from facesieve.decide.protected_faces import Elsewhere, exported, in_images, in_lake
from facesieve.faces.blocks import ListedFaces
from facesieve.images import side_tables
from facesieve.images.packs.verification import FORMAT, is_verification
from facesieve.images.parquet_files import parquet_files
from facesieve.images.parquet_fit import misfits
from facesieve.images.side_tables import Problem, Reader, Row
from facesieve.images.spelled_uris import listed_uris
from facesieve.images.storage import Storage
from facesieve.lake.run import Run

KEY = "decide.protected"

MOST_FACES = 500_000
"""Protected faces at most: every task is sent them all."""

_POSSIBLE = (
    "Name the root of another lake, a folder of images, verification sets (.bin), a CSV or Parquet file with a column "
    "uri, image_id or identity (people of this run), or a Parquet file with the columns vector and model."
)
_NAMES = ("uri", "image_id", "identity")
_ROW_FIX = "Fill one of uri, image_id and identity."


@dataclass(frozen=True)
class Protection:
    """Who is protected, and a digest of it for the key of a stage: equal for what protects the same faces.

    faces: protected faces from elsewhere, not computed yet. names: people of this run, as (column, value).
    """

    path: str
    digest: str
    elsewhere: Elsewhere | None = None
    names: tuple[tuple[str, str], ...] = ()


def described(run: Run) -> Protection | None:
    """Find out what `decide.protected` names, without reading a face; None where it is empty.

    Of a folder of images the files are read, since its digest is theirs. Raises ConfigError, with key
    `decide.protected`, if there is nothing of use, or if it is this run's own lake or images.
    """
    if not run.config.decide.protected:
        return None
    path = absolute(run.config.decide.protected)
    _refuse_own(run, path)
    elsewhere = _elsewhere(run, path)
    if elsewhere is not None:
        return Protection(path, _digest([run.model, elsewhere.digest]), elsewhere)
    listed = side_tables.entries(KEY, path, Reader(_column_problems, _row))
    return Protection(path, listed.digest, None, tuple(sorted({row[1:] for row in listed.rows})))


def faces(protection: Protection, run: Run, listed: ListedFaces) -> ProtectedFaces | None:
    """Return the protected faces, persisted.

    Names of a list that are not among the `listed` are counted and warned of; None if none is left. Raises ConfigError
    if there is no face that can be compared, or too many.
    """
    if protection.elsewhere is None:
        protected = _named(_as_listed(protection, run, listed), listed, run.warn).persist()
    else:
        vectors = protection.elsewhere.vectors(run)
        protected = vectors.select(F.lit(None).cast("bigint").alias("face_id"), "vector").persist()
    number = protected.count()
    if number > MOST_FACES:
        problem = f"{protection.path} holds {count(number)} faces, more than {count(MOST_FACES)}"
        raise ConfigError([Fault(KEY, problem, "Protect fewer: some faces of each person are enough.")])
    return ProtectedFaces(protected) if number or protection.elsewhere else None


def _refuse_own(run: Run, path: str) -> None:
    own = {"lake.root": run.config.lake.root, "images.root": run.config.images.root}
    for name, place in own.items():
        # A folder among the images may be meant: the people in it.
        inside = name == "lake.root" and is_below(path, place)
        if place and (is_below(place, path) or inside):
            problem = f"{path} is or holds {name} of this run, or lies in it: all of it would be kept out"
            raise ConfigError([Fault(KEY, problem, _POSSIBLE)])


def _elsewhere(run: Run, path: str) -> Elsewhere | None:
    """Tell by what is there: None if it can only be a list."""
    try:
        info = Storage(path).info()
        if info.type == FileType.NotFound:
            raise ConfigError([Fault(KEY, f"{path} does not exist", _POSSIBLE)])
        if info.type == FileType.File and is_verification(path):
            return in_images(run, path, FORMAT)
        columns = _columns(path, folder=info.type == FileType.Directory)
    except (OSError, pa.ArrowException) as problem:
        raise ConfigError([Fault(KEY, f"{path} cannot be read ({first_line(problem)})", _POSSIBLE)]) from None
    if columns is None:
        return in_lake(run, path) or in_images(run, path, _form(path))
    if {"vector", "model"} <= columns:
        return exported(run, path)
    return in_images(run, path, "parquet") if _are_images(run, path) else None


def _form(folder: str) -> str:
    """Say in which form a folder holds images."""
    if parquet_files(Storage(folder)).files:
        return "parquet"
    return FORMAT if is_verification(folder) else "files"


def _are_images(run: Run, path: str) -> bool:
    """Tell Parquet files of images, by the columns that `images.columns` names, from a list of names."""
    files = parquet_files(Storage(path)).files
    return bool(files) and not misfits(path, files, run.config.images.columns)


def _columns(path: str, *, folder: bool) -> frozenset[str] | None:
    """Column names of the first Parquet file; none for other tables; None for a folder that is no table."""
    storage = Storage(path)
    files = [info for info in (storage.entries() if folder else [storage.info()]) if info.type == FileType.File]
    tables = [info for info in files if info.base_name.endswith((".parquet", ".csv")) or not folder]
    for info in tables:
        files_of, place = storage.at(info.base_name if folder else "")
        with files_of.open_input_file(place) as file:
            if file.read(4) == b"PAR1":
                file.seek(0)
                return frozenset(pq.read_schema(file).names)
    return frozenset() if tables else None


class NameRow(NamedTuple):
    """One row of a list: where it stands, which column it fills, and with what."""

    place: str
    column: str
    value: str


def _column_problems(columns: frozenset[str]) -> list[Problem]:
    return [] if columns & set(_NAMES) else [Problem("has no column uri, image_id or identity", _POSSIBLE)]


def _row(row: Row) -> NameRow | list[Problem]:
    filled = [name for name in _NAMES if row.text(name)]
    if len(filled) != 1:
        return [Problem(f"{row.place} names {' and '.join(filled) or 'nothing'}", _ROW_FIX)]
    (column,) = filled
    value = row.id(column) if column == "image_id" else row.text(column, strip=False)
    if value is None:
        text, fix = row.no_id(column)
        return [Problem(f"{row.place}: {text}", fix)]
    return NameRow(row.place, column, str(value))


def _as_listed(protection: Protection, run: Run, listed: ListedFaces) -> Protection:
    """Write the uris of a list as the listing does, and the identities too where names that meet are united."""
    values = {name: [value for column, value in protection.names if column == name] for name in _NAMES}
    meant = {"uri": listed_uris(values["uri"], listed, run.config.images.root)}
    if run.config.images.same_names == "unite":
        meant["identity"] = listed_names(values["identity"], listed)
    key = names_key(run.config.lake)
    if key is not None:
        meant["identity"] = {value: pseudonym(key, value) for value in values["identity"]}
    names = {(column, meant.get(column, {}).get(value, value)) for column, value in protection.names}
    return replace(protection, names=tuple(sorted(names)))


def _named(protection: Protection, listed: ListedFaces, warn: Callable[[str], None]) -> DataFrame:
    """Find the faces of the images and folders that a list names."""
    wanted = F.broadcast(listed.sparkSession.createDataFrame(list(protection.names), "column string, value string"))
    faces = reduce(DataFrame.unionByName, [_of_column(listed, wanted, name) for name in _NAMES]).persist()
    names = faces.select("column", "value").distinct().count()
    if names < len(protection.names):
        unknown = count(len(protection.names) - names)
        warn(f"{KEY}: {unknown} names in {protection.path} are of no face of this run: they are left out")
    return faces.groupBy("face_id").agg(F.first("vector").alias("vector"))


def _of_column(listed: ListedFaces, wanted: DataFrame, name: str) -> DataFrame:
    values = wanted.where(F.col("column") == name)
    same = listed[name].cast("string") == values["value"]
    return listed.join(values, same, how="inner").select("face_id", "vector", "column", "value")


def _digest(parts: list[str]) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()

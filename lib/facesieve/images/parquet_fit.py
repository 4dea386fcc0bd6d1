"""Whether the columns of all Parquet files of a data set fit: each file alone, and the files beside each other.

Names of columns may differ in case, and types wherever all cast to text. Columns that only some files have, and names
that are text here and numbers there, are a fault that names two files.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from facesieve.core.errors import Fault
from facesieve.core.sections import Columns
from facesieve.images.parquet_columns import PICTURES, Content, Places, Unfit, advice, is_number, places
from facesieve.images.parquet_files import ParquetFile, folders

_KEY = "images.columns"
_FIX = "Name the columns of your files with [images.columns]: uri, bytes or vector, identity."
_ALIKE = "Write the column alike in all files, or give images.root the files of one kind."
_EMBED = "Embed the pictures in the files first: a path alone is never opened."


class _Fit(NamedTuple):
    file: ParquetFile
    places: Places


def misfits(root: str, files: Sequence[ParquetFile], names: Columns, holds: Content = PICTURES) -> list[Fault]:
    """Return at most one fault: of a file that does not fit, of two files that differ, or of pictures in no file."""
    fit, unfit = list[_Fit](), list[tuple[ParquetFile, str]]()
    for file in files:
        try:
            fit.append(_Fit(file, places(file.schema, folders(file.name), names, holds)))
        except Unfit as why:
            unfit.append((file, str(why)))
    if not unfit:
        return _identities(root, fit) or _without_bytes(root, fit)
    file, problem = unfit[0]
    if fit:
        problem += f" in {file.name}, but not in {fit[0].file.name} ({len(unfit)} of {len(files)} files are like it)"
    return [Fault(_KEY, f"{root}: {problem}. {advice(file.schema)}", _FIX)]


def _identities(root: str, fit: Sequence[_Fit]) -> list[Fault]:
    """Refuse names in some files only, and names beside numbers: `7` of one file is perhaps no `7` of another."""
    by_kind: dict[str, ParquetFile] = {}
    for file, columns in fit:
        at = columns.identity
        by_kind.setdefault("missing" if at.absent else "a number" if is_number(at) else "text", file)
    if len(by_kind) < 2:
        return []
    differ = " and ".join(f"{kind} in {file.name}" for kind, file in sorted(by_kind.items())[:2])
    return [Fault(_KEY, f"{root}: column identity is {differ}", _ALIKE)]


def _without_bytes(root: str, fit: Sequence[_Fit]) -> list[Fault]:
    """Refuse a data set of paths alone, where the footers say so."""
    if any(".".join(columns.bytes.path) not in file.null for file, columns in fit if file.rows):
        return []
    return [Fault("images.root", f"{root}: no row has bytes", _EMBED)]

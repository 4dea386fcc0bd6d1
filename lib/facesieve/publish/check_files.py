"""The files of `publish.checks`: one query each, that finds nothing where all is well. All are read before any work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pyarrow.fs import FileType

from facesieve.core.errors import ConfigError, Fault, first_line
from facesieve.images.storage import Storage

KEY = "publish.checks"
ONE_QUERY = "Write one query over the views decisions, cleaned_staged and cleaned into the file."


class Check(NamedTuple):
    """A query and the file that it stands in, as the configuration names it."""

    file: str
    query: str


def read_checks(files: Sequence[str]) -> list[Check]:
    """Read every file (UTF-8). Raises ConfigError with all that cannot be read."""
    checks: list[Check] = []
    faults: list[Fault] = []
    for file in files:
        try:
            checks.append(Check(file, _text(file)))
        except (OSError, ValueError) as problem:
            cause = first_line(getattr(problem, "strerror", None) or problem)
            faults.append(Fault(KEY, f"{file} cannot be read ({cause})", "Give the path or URI of an SQL file."))
    if faults:
        raise ConfigError(faults)
    return checks


def _text(file: str) -> str:
    storage = Storage(file)
    kind = storage.info().type
    if kind == FileType.NotFound:
        raise FileNotFoundError(0, "it does not exist")
    if kind == FileType.Directory:
        raise IsADirectoryError(0, "it is a folder")
    return storage.read("").decode("utf-8-sig")

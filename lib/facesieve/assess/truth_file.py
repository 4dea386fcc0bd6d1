"""A truth table that people give (`--truth`): which identity each image is of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pyspark.sql import DataFrame

from facesieve.core.errors import ConfigError, Fault
from facesieve.images import side_tables
from facesieve.images.side_tables import Problem, Reader, Row
from facesieve.images.spelled_uris import listed_uris

KEY = "--truth"

_COLUMNS = ("uri", "identity")


class TruthRow(NamedTuple):
    """One row: where it stands, the image, and its identity (None: nobody says)."""

    place: str
    uri: str | None
    identity: str | None


def read_truth(path: str) -> dict[str, str]:
    """Read the identity of each uri. Rows without one of the two say nothing.

    Raises ConfigError if the table cannot be read, lacks a column, names no identity, or two of one uri.
    """
    table = side_tables.entries(KEY, path, Reader(_column_problems, _row, _contradictions))
    identities = {row.uri: row.identity for row in table.rows if row.uri is not None and row.identity is not None}
    if not identities:
        raise ConfigError([Fault(KEY, f"{path} names no identity of any image", "Give one row per image.")])
    return identities


def as_listed(identities: Mapping[str, str], listing: DataFrame, root: str) -> dict[str, str]:
    """Write the uris of a truth table as the listing does; `root` is `images.root`, or empty.

    Raises ConfigError if two spellings of one uri have two identities.
    """
    meant = listed_uris(identities, listing, root)
    rows = dict[str, str]()
    for uri, identity in identities.items():
        if rows.setdefault(meant.get(uri, uri), identity) != identity:
            problem = f"{uri} and another spelling of it have two identities"
            raise ConfigError([Fault(KEY, problem, "Give each uri one identity.")])
    return rows


def _column_problems(columns: frozenset[str]) -> list[Problem]:
    missing = [name for name in _COLUMNS if name not in columns]
    return [Problem(f"has no column {name}", "Give the columns uri and identity.") for name in missing]


def _row(row: Row) -> TruthRow | list[Problem]:
    nested = [name for name in _COLUMNS if isinstance(row.values.get(name), (list, dict))]
    if nested:
        text = f"{row.place}: {nested[0]} is no plain value"
        return [Problem(text, "Give uri and identity as text.")]
    return TruthRow(row.place, row.text("uri", strip=False), row.text("identity"))


def _contradictions(rows: Sequence[TruthRow]) -> list[Problem]:
    """Say which row names another identity of an image than the image's first row does."""
    first: dict[str, TruthRow] = {}
    problems = []
    for row in rows:
        if row.uri is None or row.identity is None:
            continue
        former = first.setdefault(row.uri, row)
        if former.identity != row.identity:
            text = f"{former.place} and {row.place} give {row.uri} two identities"
            problems.append(Problem(text, "Give each uri one identity."))
    return problems

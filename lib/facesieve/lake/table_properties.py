"""The properties of every table: how its files are written, and what its manifests may tell of the rows.

A manifest holds the least and the greatest value of each column of a file: of a text or of bytes the first sixteen.
For names and digests, and for what is computed from faces, that would be a copy beside the rows.
"""

from __future__ import annotations

from collections.abc import Mapping

from facesieve.core.tables import Table

BARE = "facesieve.bounds"
"""The property that says from when on no manifest of the table has such bounds: since it was made, or rewritten."""

_WRITING = {
    "format-version": "2",
    "write.parquet.compression-codec": "zstd",
    # One file per task and partition, without a shuffle that would send a whole scope to one task.
    "write.distribution-mode": "none",
    "write.spark.fanout.enabled": "true",
    # Each commit writes a file of metadata, which lists all snapshots: some twenty a table and run.
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "50",
}
_DELETE_BY_ROW = {
    # Deleted rows are listed beside their file, where else every file that holds one would be written anew.
    "write.delete.mode": "merge-on-read",
    "write.delete.granularity": "file",
}
OF_COLUMN = "write.metadata.metrics.column."
_COUNTS = "counts"
"""Iceberg's metrics mode that counts values and nulls, and keeps no bounds."""
_NAMES = ("uri", "identity", "moved_to", "identity_a", "identity_b", "sha256", "detail", "record")
_FACES = ("vector", "phash", "face_phash", "turned_phash", "bytes")
_PACKED = ("pivots", "ids", "codes", "probes", "vectors")
_SPARED = frozenset(_NAMES + _FACES + _PACKED)


def of(table: Table) -> dict[str, str]:
    """Return the properties that a table has from this version on."""
    return _WRITING | (_DELETE_BY_ROW if table.row_deletes else {}) | _modes(table)


def of_new(table: Table) -> dict[str, str]:
    """Return the properties that a table is made with."""
    return of(table) | {BARE: "none"}


def may_have_bounds(properties: Mapping[str, str]) -> bool:
    """Say whether files of a table may be of before its manifests were to hold no bounds of names and faces.

    >>> may_have_bounds({"write.metadata.metrics.column.uri": "counts"})
    True
    >>> may_have_bounds({"write.metadata.metrics.column.uri": "counts", "facesieve.bounds": "none"})
    False
    >>> may_have_bounds({"write.delete.mode": "merge-on-read"})
    False
    """
    return BARE not in properties and any(name.startswith(OF_COLUMN) for name in properties)


def _modes(table: Table) -> dict[str, str]:
    return {f"{OF_COLUMN}{name}": _COUNTS for name in table.columns.names if name in _SPARED}

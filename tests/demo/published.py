"""Reading the lake as any other program would: pyiceberg, the published tables, the newest finished run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyiceberg.table import StaticTable

Row = dict[str, Any]


class NothingPublished(Exception):
    """There is no finished run, or no such table, in the lake."""


@dataclass(frozen=True)
class Published:
    """The consistent reading point of a lake: the newest finished run, and each table's snapshot after it."""

    lake: Path
    run: str
    after: dict[str, int]

    def rows(self, table: str, *columns: str) -> list[Row]:
        """Read columns of a table as the run left it. Raises NothingPublished if the run knows no such table."""
        if table not in self.after:
            raise NothingPublished(f"run {self.run} left no table {table}")
        return _rows(self.lake, table, columns, self.after[table])


def newest(lake: Path) -> Published:
    """Find the newest run with status `done`. Raises NothingPublished if there is none."""
    runs = _rows(lake, "runs", ("run", "status", "started", "ended", "after"), None)
    done = [row for row in runs if row["status"] == "done"]
    if not done:
        raise NothingPublished(f"no run has finished in {lake}")
    last = max(done, key=lambda row: (row["ended"] or row["started"], row["run"]))
    return Published(lake, last["run"], dict(last["after"]))


def _rows(lake: Path, table: str, columns: tuple[str, ...], snapshot: int | None) -> list[Row]:
    iceberg = StaticTable.from_metadata(str(metadata(lake / "faces" / table)))
    return list(iceberg.scan(snapshot_id=snapshot, selected_fields=columns).to_arrow().to_pylist())


def metadata(table: Path) -> Path:
    """Find the newest metadata file of a table of a `hadoop` catalog: the hint may lag behind, never ahead."""
    hint = table / "metadata" / "version-hint.text"
    if not hint.is_file():
        raise NothingPublished(f"there is no table at {table}")
    version = int(hint.read_text())
    newest = None
    while (file := _version(table, version)) is not None:
        newest, version = file, version + 1
    if newest is None:
        raise NothingPublished(f"version {version} of the table at {table} is missing")
    return newest


def _version(table: Path, version: int) -> Path | None:
    names = (f"v{version}.metadata.json", f"v{version}.gz.metadata.json")
    return next((file for name in names if (file := table / "metadata" / name).is_file()), None)

"""People's verdicts (`decide.overrides`), read, checked and found among the images of the run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple, TypeVar

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.core.console import count
from facesieve.core.reasons import Verdict
from facesieve.core.tables import Listing
from facesieve.decide.inputs import OVERRIDES, Overrides
from facesieve.images import side_tables
from facesieve.images.side_tables import Entries, Problem, Reader, Row
from facesieve.images.spelled_uris import listed_uris

KEY = "decide.overrides"

_VERDICTS = tuple(verdict.value for verdict in Verdict if verdict is not Verdict.FAIL)
_NAMES = ("uri", "image_id")
_COLUMNS_FIX = "Write the columns uri or image_id (or both), verdict, and moved_to where the verdict is move."
_TWO_FIX = "Keep the one that is meant."
_BOTH_FIX = "Keep one of the two rows, or say in the column at which is later."
_DATE_FIX = "Write it as 2026-11-24 or 2026-11-24T18:00:00Z."
_SHOWN = 5
_WANTED = "number long, uri string, image_id long"


class OverrideRow(NamedTuple):
    """One row: where it stands, the image, the verdict, and when (microseconds since 1970, UTC)."""

    place: str
    uri: str | None
    image_id: int | None
    verdict: str
    moved_to: str | None
    at: int | None

    @property
    def ruling(self) -> tuple[str, str | None]:
        """What the row comes to, whenever it was written."""
        return self.verdict, self.moved_to


Name = TypeVar("Name", str, int)


def read_overrides(path: str) -> Entries[OverrideRow]:
    """Read the verdicts that `decide.overrides` names; there are none where it is empty.

    Of two rows for one image the later counts. Raises ConfigError with what is wrong in the file, also two rows that
    differ of which none is later.
    """
    return side_tables.entries(KEY, path, Reader(_column_problems, _row, _contradictions))


def overrides(
    table: Entries[OverrideRow], listing: Listing, warn: Callable[[str], None], root: str = ""
) -> Overrides | None:
    """Find the images that are overridden, one row per image.

    A file that changes is another image under the same uri. A row that names the uri holds for it, a row that names the
    image_id does not. Rows that name no image of the listing, or a uri and an image_id that are not of one image, are
    counted and warned of once. A uri may be spelled as a path below `root` (`images.root`). None if nothing is left.
    Raises ConfigError where a uri and an image_id that name one image contradict each other. The images are not
    collected, but those that are named.
    """
    if not table.rows:
        return None
    meant = listed_uris([row.uri for row in table.rows if row.uri is not None], listing, root)
    table = replace(table, rows=tuple(row._replace(uri=meant.get(row.uri or "", row.uri)) for row in table.rows))
    named = _named(table, listing)
    missing = [row.place for number, row in enumerate(table.rows) if number not in named]
    if missing:
        shown = ", ".join(missing[:_SHOWN]) + (", ..." if len(missing) > _SHOWN else "")
        which = f"{count(len(missing))} rows of {table.path} name no image of this run ({shown})"
        warn(f"{KEY}: {which}: they are left out")
    latest, problems = _latest((image, table.rows[number]) for number, image in sorted(named.items()))
    side_tables.refuse(KEY, table.path, problems)
    if not latest:
        return None
    rows = [(image, *row.ruling) for image, row in sorted(latest.items())]
    return Overrides(listing.sparkSession.createDataFrame(rows, OVERRIDES))


def _column_problems(columns: frozenset[str]) -> list[Problem]:
    missing = [] if "verdict" in columns else ["has no column verdict"]
    if not columns & set(_NAMES):
        missing.append("has no column uri or image_id")
    return [Problem(text, _COLUMNS_FIX) for text in missing]


def _row(row: Row) -> OverrideRow | list[Problem]:
    """Read one row; or say all that is wrong with it."""
    uri, number, at = row.text("uri", strip=False), row.id("image_id"), row.moment("at")
    verdict, moved_to = row.text("verdict") or "", row.text("moved_to")
    problems = []
    if verdict not in _VERDICTS:
        problems.append((f"verdict {verdict!r} is not known", f"Use {', '.join(_VERDICTS)}."))
    if row.text("image_id") and number is None:
        problems.append(row.no_id("image_id"))
    if uri is None and not row.text("image_id"):
        problems.append(("names no image", "Fill uri or image_id."))
    if verdict == Verdict.MOVE.value and moved_to is None:
        problems.append(("moves an image nowhere", "Fill moved_to with the identity that the image is of."))
    if verdict != Verdict.MOVE.value and moved_to is not None:
        problems.append((f"has moved_to {moved_to!r} without the verdict move", "Leave moved_to empty, or rule move."))
    if row.text("at") and at is None:
        problems.append((f"at {str(row.values['at'])!r} is not a date", _DATE_FIX))
    if problems:
        return [Problem(f"{row.place}: {text}", fix) for text, fix in problems]
    return OverrideRow(row.place, uri, number, verdict, moved_to, at)


def _contradictions(rows: Sequence[OverrideRow]) -> list[Problem]:
    by_uri = ((row.uri, row) for row in rows if row.uri is not None)
    by_id = ((row.image_id, row) for row in rows if row.image_id is not None and row.uri is None)
    return _latest(by_uri)[1] + _latest(by_id)[1]


def _latest(rows_of: Iterable[tuple[Name, OverrideRow]]) -> tuple[dict[Name, OverrideRow], list[Problem]]:
    """Return the latest row of each image, and which of them contradict it without being earlier."""
    groups: dict[Name, list[OverrideRow]] = {}
    for image, row in rows_of:
        groups.setdefault(image, []).append(row)
    latest = {image: max(group, key=_when) for image, group in groups.items()}
    return latest, [problem for image, last in latest.items() for problem in _against(image, last, groups[image])]


def _when(row: OverrideRow) -> tuple[bool, int]:
    return row.at is not None, row.at or 0


def _against(image: Name, last: OverrideRow, group: list[OverrideRow]) -> list[Problem]:
    """Say which row of one image differs from the last; one without a date is neither earlier nor later."""
    undated = last.at is None
    differing = [each for each in group if each.ruling != last.ruling and (undated or each.at in (None, last.at))]
    texts = [f"{each.place} and {last.place} say different things of {image}" for each in differing[:1]]
    return [Problem(text, _BOTH_FIX) for text in texts]


def _named(table: Entries[OverrideRow], listing: Listing) -> dict[int, int]:
    """Find the image_id that each row, by its number, means; one that means none is not in it.

    Raises ConfigError where uri and image_id name two images of the listing.
    """
    rows = [(number, each.uri, each.image_id) for number, each in enumerate(table.rows)]
    wanted = F.broadcast(listing.sparkSession.createDataFrame(rows, _WANTED))
    images = listing.select(F.col("image_id").alias("image"), F.col("uri").alias("name"))
    by_uri = _numbered(images.join(wanted, images["name"] == wanted["uri"], how="inner"))
    by_id = _numbered(images.join(wanted, images["image"] == wanted["image_id"], how="inner"))
    apart = [number for number in sorted(by_uri.keys() & by_id.keys()) if by_uri[number] != by_id[number]]
    places = [table.rows[number].place for number in apart]
    problems = [(f"{place}: uri and image_id name two images", _TWO_FIX) for place in places]
    side_tables.refuse(KEY, table.path, problems)
    # A uri beside an image_id that is gone is of a file that has changed since: that file is not overridden now.
    agreeing = {number: image for number, image in by_uri.items() if table.rows[number].image_id in (None, image)}
    return agreeing | {number: image for number, image in by_id.items() if table.rows[number].uri is None}


def _numbered(images: DataFrame) -> dict[int, int]:
    return {row["number"]: row["image"] for row in images.select("number", "image").collect()}

"""People's verdicts (`decide.overrides`), read, checked and found among the images of the run."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple, TypeVar

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.core.console import count
from facesieve.core.errors import Fault
from facesieve.core.reasons import Verdict
from facesieve.core.tables import Listing
from facesieve.decide.inputs import OVERRIDES, Overrides
from facesieve.images import side_tables
from facesieve.images.side_tables import Row, SideTable

KEY = "decide.overrides"

_VERDICTS = tuple(verdict.value for verdict in Verdict if verdict is not Verdict.FAIL)
_NAMES = ("uri", "image_id")
_COLUMNS_FIX = "Write the columns uri or image_id (or both), verdict, and moved_to where the verdict is move."
_ID_FIX = "Give a whole number of 64 bits, as in the tables (spreadsheets round numbers of that length)."
_TWO_FIX = "Keep the one that is meant."
_BOTH_FIX = "Keep one of the two rows, or say in the column at which is later."
_SHOWN = 5
_STATED = "number long, uri string, image_id long"


class Statement(NamedTuple):
    """One row: where it stands, the image, what is ruled, and when (microseconds since 1970, UTC)."""

    place: str
    uri: str | None
    image_id: int | None
    ruled: str
    moved_to: str | None
    at: int | None

    @property
    def said(self) -> tuple[str, str | None]:
        """What it comes to, whenever it was said."""
        return self.ruled, self.moved_to


Name = TypeVar("Name", str, int)

Problem = tuple[str, str]
"""What is wrong with a row, and what to do."""


@dataclass(frozen=True)
class Stated:
    """All that is stated, and a digest of it that neither the order of rows nor the form of the file changes."""

    path: str
    statements: tuple[Statement, ...]
    digest: str


def stated(path: str) -> Stated:
    """Read the verdicts that `decide.overrides` names; nothing is stated where it is empty.

    Of two rows for one image the later counts. Raises ConfigError with what is wrong in the file, also two rows that
    differ of which none is later, up to `sidetables.FAULTS_SHOWN` faults with their places.
    """
    if not path:
        return Stated("", (), "")
    table = side_tables.read(KEY, path)
    side_tables.refuse(_column_faults(path, table))
    read = [_statement(row) for row in table.rows]
    problems = [problem for found in read if isinstance(found, list) for problem in found]
    statements = [found for found in read if isinstance(found, Statement)]
    problems += _latest((each.uri, each) for each in statements if each.uri is not None)[1]
    problems += _latest((each.image_id, each) for each in statements if each.image_id is not None and each.uri is None)[
        1
    ]
    side_tables.refuse([Fault(KEY, f"{path} {problem}", fix) for problem, fix in problems])
    said = sorted({repr(statement[1:]) for statement in statements})
    return Stated(path, tuple(statements), hashlib.sha256("\n".join(said).encode()).hexdigest())


def overrides(given: Stated, listing: Listing, warn: Callable[[str], None]) -> Overrides | None:
    """Find the images that are overridden, one row per image.

    A file that changes is another image under the same uri: what is
    said of the uri holds for it, what is said of the image_id does not. Rows that name no image of the listing, or a
    uri and an image_id that are not of one image, are counted and warned of once. None if nothing is left. Raises
    ConfigError where a uri and an image_id that name one image contradict each other. The images are not collected,
    but those that are named.
    """
    if not given.statements:
        return None
    named = _named(given, listing)
    missing = [statement.place for number, statement in enumerate(given.statements) if number not in named]
    if missing:
        shown = ", ".join(missing[:_SHOWN]) + (", ..." if len(missing) > _SHOWN else "")
        which = f"{count(len(missing))} rows of {given.path} name no image of this run ({shown})"
        warn(f"{KEY}: {which}: they are left out")
    latest, problems = _latest((image, given.statements[number]) for number, image in sorted(named.items()))
    side_tables.refuse([Fault(KEY, f"{given.path} {problem}", fix) for problem, fix in problems])
    if not latest:
        return None
    rows = [(image, *statement.said) for image, statement in sorted(latest.items())]
    return Overrides(listing.sparkSession.createDataFrame(rows, OVERRIDES))


def _column_faults(path: str, table: SideTable) -> list[Fault]:
    said = [] if "verdict" in table.columns else ["has no column verdict"]
    if not table.columns & set(_NAMES):
        said.append("has no column uri or image_id")
    return [Fault(KEY, f"{path} {problem}", _COLUMNS_FIX) for problem in said]


def _statement(row: Row) -> Statement | list[Problem]:
    """Read one row; or say all that is wrong with it."""
    uri, image, ruled, moved_to, at = (
        row.values.get(name) for name in ("uri", "image_id", "verdict", "moved_to", "at")
    )
    name, ruled, target = _text(uri, strip=False), _text(ruled) or "", _text(moved_to)
    number = side_tables.id_of(image) if _text(image) else None
    problems = [] if ruled in _VERDICTS else [(f"verdict {ruled!r} is not known", f"Use {', '.join(_VERDICTS)}.")]
    if _text(image) and number is None:
        problems.append((f"image_id {str(image)!r} is not an id", _ID_FIX))
    if name is None and not _text(image):
        problems.append(("names no image", "Fill uri or image_id."))
    if ruled == Verdict.MOVE.value and target is None:
        problems.append(("moves an image nowhere", "Fill moved_to with the identity that the image is of."))
    if ruled != Verdict.MOVE.value and target is not None:
        problems.append((f"has moved_to {target!r} without the verdict move", "Leave moved_to empty, or rule move."))
    moment = _moment(at)
    if _text(at) and moment is None:
        problems.append((f"at {str(at)!r} is not a date", "Write it as 2026-11-24 or 2026-11-24T18:00:00Z."))
    if problems:
        return [(f"{row.place}: {problem}", fix) for problem, fix in problems]
    return Statement(row.place, name, number, ruled, target, moment)


def _text(cell: Any, *, strip: bool = True) -> str | None:
    """Return the text of a cell, None for an empty one. A uri keeps its blanks: they are part of the name."""
    text = "" if cell is None else str(cell)
    return (text.strip() if strip else text) if text.strip() else None


def _moment(cell: Any) -> int | None:
    """Read a date or a timestamp, in UTC where it names no zone; None if it is none."""
    if isinstance(cell, date) and not isinstance(cell, datetime):
        cell = datetime.combine(cell, time())
    if not isinstance(cell, datetime):
        try:
            cell = datetime.fromisoformat(str(cell).strip())
        except ValueError:
            return None
    zoned = cell if cell.tzinfo else cell.replace(tzinfo=UTC)
    since: timedelta = zoned - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _latest(stated_of: Iterable[tuple[Name, Statement]]) -> tuple[dict[Name, Statement], list[Problem]]:
    """Return the latest statement of each image, and which of them contradict it without being earlier."""
    groups: dict[Name, list[Statement]] = {}
    for image, statement in stated_of:
        groups.setdefault(image, []).append(statement)
    latest = {image: max(group, key=_when) for image, group in groups.items()}
    return latest, [problem for image, last in latest.items() for problem in _against(image, last, groups[image])]


def _when(statement: Statement) -> tuple[bool, int]:
    return statement.at is not None, statement.at or 0


def _against(image: Name, last: Statement, group: list[Statement]) -> list[Problem]:
    """Say which statement of one image differs from the last; one without a date is neither earlier nor later."""
    undated = last.at is None
    differing = [each for each in group if each.said != last.said and (undated or each.at in (None, last.at))]
    return [(f"{each.place} and {last.place} say different things of {image}", _BOTH_FIX) for each in differing[:1]]


def _named(given: Stated, listing: Listing) -> dict[int, int]:
    """Find the image_id that each statement, by its number, means; one that means none is not in it.

    Raises ConfigError where uri and image_id name two images of the listing.
    """
    rows = [(number, each.uri, each.image_id) for number, each in enumerate(given.statements)]
    wanted = F.broadcast(listing.sparkSession.createDataFrame(rows, _STATED))
    known = listing.select(F.col("image_id").alias("found"), F.col("uri").alias("name"))
    by_uri = _numbered(known.join(wanted, known["name"] == wanted["uri"], how="inner"))
    by_id = _numbered(known.join(wanted, known["found"] == wanted["image_id"], how="inner"))
    apart = [number for number in sorted(by_uri.keys() & by_id.keys()) if by_uri[number] != by_id[number]]
    places = [given.statements[number].place for number in apart]
    side_tables.refuse(
        [Fault(KEY, f"{given.path} {place}: uri and image_id name two images", _TWO_FIX) for place in places]
    )
    # A uri beside an image_id that is gone is of a file that has changed since: what was seen then is not ruled now.
    agreeing = {number: image for number, image in by_uri.items() if given.statements[number].image_id in (None, image)}
    return agreeing | {number: image for number, image in by_id.items() if given.statements[number].uri is None}


def _numbered(found: DataFrame) -> dict[int, int]:
    return {row["number"]: row["found"] for row in found.select("number", "found").collect()}

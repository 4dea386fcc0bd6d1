"""The key of the step follows from what the side tables say, and not from where they lie."""

from __future__ import annotations

from dataclasses import asdict
from types import SimpleNamespace
from typing import Any

from pyspark.sql import SparkSession

from facesieve.core.config import Config
from facesieve.core.profiles import ImpostorLine
from facesieve.core.sections import Decide
from facesieve.core.tables import Listing
from facesieve.decide.inputs import OVERRIDES, Overrides
from facesieve.decide.protected_people import Protection
from facesieve.decide.side_inputs import SideTables, _united
from facesieve.images.side_tables import Entries

LINE = ImpostorLine(0.25, 0.125)


def settings(overrides: str, protected: str, path: str) -> dict[str, Any]:
    run: Any = SimpleNamespace(config=Config(decide=Decide(overrides=path, protected=path)))
    protection = Protection(path, protected) if protected else None
    return SideTables(Entries(path, (), overrides), protection, LINE).settings(run)


def test_digests_stand_for_the_paths() -> None:
    assert settings("a", "b", "here") == settings("a", "b", "there")
    assert len({repr(settings(*digests, "here")) for digests in (("a", "b"), ("a", "c"), ("c", "b"))}) == 3


def test_the_impostor_line_counts_where_somebody_is_protected() -> None:
    assert settings("a", "b", "here")["impostors"] == asdict(LINE)
    assert settings("a", "", "here")["impostors"] is None


def test_a_move_goes_to_the_person_whose_names_are_united(spark: SparkSession) -> None:
    rows = [(1, "move", "ann "), (2, "move", "Bob"), (3, "keep", None), (4, "move", "Eve")]
    by_hand = Overrides(spark.createDataFrame(rows, OVERRIDES))
    listing = Listing(spark.createDataFrame([("Ann",), ("Bob",), (None,)], "identity string"))
    assert [row.moved_to for row in _united(by_hand, listing).orderBy("image_id").collect()] == [
        *("Ann", "Bob", None, "Eve"),
    ]

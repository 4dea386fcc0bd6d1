"""The checks of `conf/checks`: each finds the fault it is for, and nothing where all is well."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from deciding import rows_of
from pyspark.sql import SparkSession

from facesieve.core.tables import CLEANED, DECISIONS, Cleaned, Decisions
from facesieve.publish.check_queries import Views
from facesieve.publish.checks import failures, prepared

FILES = sorted((Path(__file__).resolve().parents[2] / "conf" / "checks").glob("*.sql"))
Rows = list[dict[str, Any]]


def _decided(image: int, identity: str | None, verdict: str = "keep", **others: Any) -> dict[str, Any]:
    return {"image_id": image, "identity": identity, "verdict": verdict, "reasons": [], **others}


def _published(image: int, identity: str, content: str = "") -> dict[str, Any]:
    return {"image_id": image, "face_id": image + 100, "identity": identity, "sha256": content or f"sha of {image}"}


DECIDED = [
    *(_decided(image, "Ann") for image in (1, 2, 3, 4)),
    _decided(5, "Ann", "move", moved_to="Bob", reasons=["flip"]),
    _decided(6, "Ann", "drop", reasons=["duplicate"]),
    _decided(7, None),
    _decided(8, None, "quarantine", reasons=["unclustered"]),  # published for its other face
    _decided(9, "Cem", "drop", reasons=["overlap"]),
    _decided(10, "Dan", "quarantine", reasons=["flip"]),
]
STAGED = [
    *(_published(image, "Ann") for image in (1, 2, 3, 4)),
    _published(5, "Bob"),
    *(_published(image, name) for image, name in ((7, "cluster-7"), (7, "cluster-8"), (8, "cluster-8"))),
]
FORMER = [*(_published(image, "Ann") for image in (1, 2, 5)), _published(7, "cluster-7")]


def _finds(spark: SparkSession, decided: Rows, staged: Rows, former: Rows) -> dict[str, int]:
    views = Views(
        Decisions(rows_of(spark, DECISIONS.columns, decided)),
        Cleaned(rows_of(spark, CLEANED.columns, staged)),
        Cleaned(rows_of(spark, CLEANED.columns, former)),
    )
    checks = prepared(spark, [str(file) for file in FILES])
    return {Path(failure.file).stem: failure.rows for failure in failures(spark, checks, views)}


def test_all_is_well(spark: SparkSession) -> None:
    assert len(FILES) == 4
    assert _finds(spark, DECIDED, STAGED, FORMER) == {}
    assert _finds(spark, DECIDED, STAGED, []) == {}, "a first publication"
    assert _finds(spark, [], [], []) == {}


FAULTS: list[tuple[str, int, Rows, Rows, Rows]] = [
    ("no_identity_halved", 1, [], [], [_published(image, "Bob") for image in (20, 21)]),
    ("no_identity_halved", 1, [], [], [_published(image, "Ann") for image in (20, 21)]),
    ("one_identity_a_picture", 1, [_decided(1, "Bob", "move", moved_to="Bob")], [_published(1, "Bob")], []),
    ("one_identity_a_picture", 1, [_decided(20, "Bob")], [_published(20, "Bob", "sha of 1")], []),
    ("only_what_was_decided", 1, [], [_published(6, "Ann")], []),
    ("only_what_was_decided", 1, [], [_published(10, "Dan")], []),
    ("only_what_was_decided", 1, [], [_published(20, "Ann")], []),
    ("only_what_was_decided", 1, [_decided(20, "Ann", "move", moved_to="Bob")], [_published(20, "Ann")], []),
    ("no_protected_people", 1, [_decided(20, "Cem", reasons=["overridden", "overlap"])], [_published(20, "Cem")], []),
]


@pytest.mark.parametrize(("check", "rows", "decided", "staged", "former"), FAULTS)
def test_a_planted_fault_is_finds(
    spark: SparkSession, check: str, rows: int, decided: Rows, staged: Rows, former: Rows
) -> None:
    finds = _finds(spark, [*DECIDED, *decided], [*STAGED, *staged], [*FORMER, *former])
    assert finds.get(check) == rows
    assert set(finds) <= {check, "only_what_was_decided"}, "a row that is wrong in itself may be so in two ways"


def test_a_person_who_keeps_half_is_not_halved(spark: SparkSession) -> None:
    former = [_published(image, "Ann") for image in (1, 2, 3, 4, 20, 21, 22, 23)]
    assert _finds(spark, DECIDED, STAGED, former) == {}
    assert _finds(spark, DECIDED, STAGED, [*former, _published(24, "Ann")]) == {"no_identity_halved": 1}

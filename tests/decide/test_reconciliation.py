"""The proof holds for honest tables and fails, naming the numbers, for each way of cheating."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from facesieve.core.errors import InvariantError
from facesieve.core.tables import DECISIONS, LISTING, Decisions, Listing
from facesieve.decide.reconciliation import Reconciled, reconcile

HONEST = [(1, "keep", []), (2, "drop", ["duplicate", "blurred"]), (3, "fail", ["no_face"]), (4, "keep", ["blurred"])]


def listed(spark: SparkSession, *images: int) -> Listing:
    rows = [(image, f"{image}.jpg", None, 1, None, "") for image in images]
    return Listing(spark.createDataFrame(rows, LISTING.columns))


def decided(spark: SparkSession, rows: list[tuple[int, str, list[str]]]) -> Decisions:
    unused = [None] * 8
    full = [(image, f"{image}.jpg", None, verdict, reasons, *unused) for image, verdict, reasons in rows]
    return Decisions(spark.createDataFrame(full, DECISIONS.columns))


def test_the_proof_counts_verdicts_and_reasons(spark: SparkSession) -> None:
    assert reconcile(listed(spark, 1, 2, 3, 4), decided(spark, HONEST)) == Reconciled(
        images=4,
        verdicts={"keep": 2, "drop": 1, "move": 0, "quarantine": 0, "fail": 1},
        missing=0,
        extra=0,
        reasons={"blurred": 2, "duplicate": 1, "no_face": 1},
    )


@pytest.mark.parametrize(
    ("images", "rows", "message"),
    [
        ((1, 2, 3, 4, 5), HONEST, "5 images given, 4 decided .* 1 missing, 0 extra, 0 repeated"),
        ((1, 2, 3), HONEST, "3 images given, 4 decided .* 0 missing, 1 extra, 0 repeated"),
        ((1, 2, 3, 5), HONEST, "4 images given, 4 decided .* 1 missing, 1 extra, 0 repeated"),
        ((1, 2, 3, 4), [*HONEST, HONEST[0]], "4 images given, 5 decided .* 0 missing, 0 extra, 1 repeated"),
        ((1, 2, 3, 4, 4), [*HONEST, HONEST[3]], "5 images given, 5 decided .* 0 missing, 0 extra, 2 repeated"),
        ((1, 2, 3, 4), [*HONEST[:3], (4, "maybe", [])], "4 images given, 4 decided .* 1 with an unknown verdict"),
    ],
)
def test_each_breach_is_found(
    spark: SparkSession, images: tuple[int, ...], rows: list[tuple[int, str, list[str]]], message: str
) -> None:
    with pytest.raises(InvariantError, match=message):
        reconcile(listed(spark, *images), decided(spark, rows))

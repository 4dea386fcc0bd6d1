"""Whether an erasure is under way: a property of the ledger's table, which every job of the lake can see."""

from __future__ import annotations

from pyspark.sql import SparkSession

from facesieve.core.errors import Refused
from facesieve.core.tables import RUNS
from facesieve.erasure import journal as journals
from facesieve.lake import iceberg
from facesieve.lake.catalog import Lake
from facesieve.lake.iceberg import IcebergTable

_MARK = "facesieve.erasing"
_ENDED = "ended "
"""Before the place of a journal: the erasure has ended, and the journal is to be deleted."""


def under_way(spark: SparkSession, lake: Lake) -> str:
    """Return where the journal of an erasure lies that has begun and not ended; empty where there is none."""
    value = _value(spark, lake)
    return "" if value.startswith(_ENDED) else value


def begin(spark: SparkSession, lake: Lake, journal: str) -> None:
    """Let every job see that an erasure is under way, with this journal."""
    _existing(spark, lake).java.updateProperties().set(_MARK, journal).commit()


def end(spark: SparkSession, lake: Lake) -> None:
    """Let other jobs work again, and delete the journal. Killed in between, `tidy` does the rest."""
    place = under_way(spark, lake)
    if place:
        begin(spark, lake, _ENDED + place)
    tidy(spark, lake)


def tidy(spark: SparkSession, lake: Lake) -> None:
    """Delete the journal of an erasure that was killed when it had ended."""
    value = _value(spark, lake)
    if value.startswith(_ENDED):
        journals.delete(value.removeprefix(_ENDED))
        _existing(spark, lake).java.updateProperties().remove(_MARK).commit()


def refuse_beside(spark: SparkSession, lake: Lake) -> None:
    """Raise Refused while an erasure is under way: it would take away what the other job reads."""
    if under_way(spark, lake):
        raise Refused(
            "an erasure of this lake is under way, or was killed. Nothing was changed. Finish it with the command of "
            "jobs/erase.py or jobs/retain.py that began it."
        )


def _value(spark: SparkSession, lake: Lake) -> str:
    ledger = _ledger(spark, lake)
    return str(ledger.properties().get(_MARK, "")) if ledger else ""


def _ledger(spark: SparkSession, lake: Lake) -> IcebergTable | None:
    return iceberg.load(spark, lake.name_of(RUNS))


def _existing(spark: SparkSession, lake: Lake) -> IcebergTable:
    return iceberg.existing(spark, lake.name_of(RUNS))

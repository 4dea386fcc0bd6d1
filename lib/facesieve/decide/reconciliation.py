"""The proof that no image was lost, invented or decided twice on the way."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.core.errors import InvariantError
from facesieve.core.reasons import Verdict
from facesieve.core.tables import Decisions, Listing


@dataclass(frozen=True)
class Proof:
    """What was counted: images given, images per verdict and per reason, images without a decision and the reverse."""

    given: int
    verdicts: dict[str, int]
    missing: int
    extra: int
    reasons: dict[str, int]


def prove(listing: Listing, decisions: Decisions) -> Proof:
    """Count both tables and compare them by anti-joins both ways on image_id.

    Returns the proof. Raises InvariantError, naming the numbers, unless given = sum of the verdicts, nothing is
    missing or extra, and no image stands twice in either table.
    """
    given, repeated_given = _rows(listing)
    decided, repeated_decided = _rows(decisions)
    said = _counts(decisions.select("verdict"))
    proof = Proof(
        given=given,
        verdicts={verdict.value: said.pop(verdict.value, 0) for verdict in Verdict},
        missing=listing.join(decisions, "image_id", how="left_anti").count(),
        extra=decisions.join(listing, "image_id", how="left_anti").count(),
        reasons=_counts(decisions.select(F.explode("reasons"))),
    )
    repeated = repeated_given + repeated_decided
    unknown = sum(said.values())
    if sum(proof.verdicts.values()) != given or proof.missing or proof.extra or repeated or unknown:
        raise InvariantError(
            f"conservation is broken: {given} images given, {decided} decided {proof.verdicts}, {proof.missing} "
            f"missing, {proof.extra} extra, {repeated} repeated, {unknown} with an unknown verdict"
        )
    return proof


def _counts(words: DataFrame) -> dict[str, int]:
    """Rows per word of the (closed) vocabulary."""
    rows = words.toDF("word").groupBy("word").count().orderBy("word").collect()
    return {str(row[0]): int(row[1]) for row in rows}


def _rows(table: DataFrame) -> tuple[int, int]:
    """Number of rows, and how many of them repeat an image."""
    count, images = table.agg(F.count("*"), F.count_distinct("image_id")).collect()[0]
    return int(count), int(count - images)

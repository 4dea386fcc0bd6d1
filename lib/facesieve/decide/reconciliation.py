"""The reconciliation: a proof that no image was lost, invented or decided twice on the way."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from facesieve.core.errors import InvariantError
from facesieve.core.reasons import Verdict
from facesieve.core.tables import Decisions, Listing
from facesieve.lake.decide_records import DecideRecord


@dataclass(frozen=True)
class Reconciled:
    """The counts: images of the listing, per verdict and per reason, images without a decision and the reverse."""

    images: int
    verdicts: dict[str, int]
    missing: int
    extra: int
    reasons: dict[str, int]

    def entered(self, record: DecideRecord) -> DecideRecord:
        """Return the step's record with these counts."""
        return replace(
            record,
            rows_in=self.images,
            rows_out=sum(self.verdicts.values()),
            reasons=self.reasons,
            listed=self.images,
            verdicts=self.verdicts,
            missing=self.missing,
            extra=self.extra,
        )


def reconcile(listing: Listing, decisions: Decisions) -> Reconciled:
    """Count both tables and compare them by anti-joins both ways on image_id.

    Raises InvariantError, naming the numbers, unless images = sum of the verdicts, nothing is missing or extra, and no
    image stands twice in either table.
    """
    images, repeated_images = _rows(listing)
    decided, repeated_decisions = _rows(decisions)
    by_verdict = _counts(decisions, F.col("verdict"))
    counts = Reconciled(
        images=images,
        verdicts={verdict.value: by_verdict.pop(verdict.value, 0) for verdict in Verdict},
        missing=listing.join(decisions, "image_id", how="left_anti").count(),
        extra=decisions.join(listing, "image_id", how="left_anti").count(),
        reasons=_counts(decisions, F.explode("reasons")),
    )
    repeated = repeated_images + repeated_decisions
    unknown = sum(by_verdict.values())
    if sum(counts.verdicts.values()) != images or counts.missing or counts.extra or repeated or unknown:
        raise InvariantError(
            f"reconciliation failed: {images} images given, {decided} decided {counts.verdicts}, {counts.missing} "
            f"missing, {counts.extra} extra, {repeated} repeated, {unknown} with an unknown verdict"
        )
    return counts


def _counts(decisions: Decisions, word: Column) -> dict[str, int]:
    """Rows per word of the (closed) vocabulary."""
    rows = decisions.select(word.alias("word")).groupBy("word").count().orderBy("word").collect()
    return {str(row[0]): int(row[1]) for row in rows}


def _rows(table: DataFrame) -> tuple[int, int]:
    """Number of rows, and how many of them repeat an image."""
    count, images = table.agg(F.count("*"), F.count_distinct("image_id")).collect()[0]
    return int(count), int(count - images)

"""The reconciliation: a proof that no image was lost, invented or decided twice on the way."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from pyspark.sql import functions as F

from facesieve.core.errors import InvariantError
from facesieve.core.reasons import Verdict
from facesieve.core.side_by_side import side_by_side
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
    """Count both tables and compare them both ways on image_id.

    Raises InvariantError, naming the numbers, unless images = sum of the verdicts, nothing is missing or extra, and no
    image stands twice in either table.
    """
    compared, counted = partial(_compared, listing, decisions), partial(_reasons, decisions)
    sums, reasons = side_by_side(decisions.sparkSession, compared, counted)
    counts = Reconciled(
        images=sums["listed"],
        verdicts={verdict.value: sums[verdict.value] for verdict in Verdict},
        missing=sums["missing"],
        extra=sums["extra"],
        reasons=reasons,
    )
    repeated, decided = sums["repeated"], sum(counts.verdicts.values())
    unknown = sums["decided"] - decided
    if decided != counts.images or counts.missing or counts.extra or repeated or unknown:
        raise InvariantError(
            f"reconciliation failed: {counts.images} images given, {sums['decided']} decided {counts.verdicts}, "
            f"{counts.missing} missing, {counts.extra} extra, {repeated} repeated, {unknown} with an unknown verdict"
        )
    return counts


def _compared(listing: Listing, decisions: Decisions) -> dict[str, int]:
    """Rows of both tables, per verdict, of one table without the other, and those that repeat an image: in one job."""
    verdicts = [verdict.value for verdict in Verdict]
    images_listed = listing.select("image_id", F.lit(1).alias("listed"), F.lit(None).cast("string").alias("verdict"))
    both = images_listed.union(decisions.select("image_id", F.lit(0), "verdict"))
    per_verdict = (F.count_if(F.col("verdict") == verdict).alias(verdict) for verdict in verdicts)
    images = both.groupBy("image_id").agg(
        F.sum("listed").alias("listed"), F.sum(1 - F.col("listed")).alias("decided"), *per_verdict
    )
    listed, decided = F.col("listed"), F.col("decided")
    sums = {
        "listed": listed,
        "decided": decided,
        "missing": F.when(decided == 0, listed),
        "extra": F.when(listed == 0, decided),
        "repeated": F.greatest(listed - 1, F.lit(0)) + F.greatest(decided - 1, F.lit(0)),
        **{verdict: F.col(verdict) for verdict in verdicts},
    }
    row = images.agg(*(F.sum(column).alias(name) for name, column in sums.items())).collect()[0]
    return {name: int(number or 0) for name, number in row.asDict().items()}


def _reasons(decisions: Decisions) -> dict[str, int]:
    """Rows per reason of the (closed) vocabulary, in the order of the words."""
    rows = decisions.select(F.explode("reasons").alias("reason")).groupBy("reason").count().collect()
    return dict(sorted((str(row[0]), int(row[1])) for row in rows))

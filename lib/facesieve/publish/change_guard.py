"""How much an apply would change, measured against the decisions behind the data set that is published now."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import functions as F

from facesieve.core.console import count
from facesieve.core.reasons import is_published
from facesieve.core.tables import CLEANED, DECISIONS, Decisions
from facesieve.lake.catalog import Lake, Snapshot


@dataclass(frozen=True)
class Change:
    """Images that were decided upon before, and how many of them would change their verdict or its target.

    gone: those of them that were published and are no longer listed, as of a source that is half there. forgotten: the
    decisions to compare with are no longer in the lake.
    """

    decided_before: int = 0
    changed: int = 0
    gone: int = 0
    forgotten: bool = False

    def objection(self, limit: float) -> str:
        """Say why a change of more than `limit`, a share, is refused; empty if it is not."""
        if self.forgotten and limit < 1:
            return (
                "the decisions behind the current table cleaned have been expired, so that nobody can tell how many "
                "verdicts would change. Look at the table decisions; publish.max_change = 1 applies without comparing."
            )
        share = self.changed / self.decided_before if self.decided_before else 0.0
        if share <= limit:
            return ""
        gone = f"{count(self.gone)} of them are no longer there, " if self.gone else ""
        return (
            f"{count(self.changed)} of {count(self.decided_before)} known images "
            f"would change their verdict ({share:.1%}), {gone}more than publish.max_change = {limit:g}. "
            "Run it with publish.apply = false and look at the table decisions; raise publish.max_change to apply."
        )


def compare(lake: Lake, decided: Decisions, published: Snapshot | None) -> Change:
    """Compare with the decisions behind the version of `cleaned` that is published; all is free before the first."""
    behind = _behind(lake, published) if published else None
    if behind is None:
        return Change()
    compared = next((snapshot for snapshot in lake.versions(DECISIONS) if snapshot.id == behind), None)
    if compared is None:
        return Change(forgotten=True)
    former = lake.read(DECISIONS, compared).select(
        "image_id", F.col("verdict").alias("former"), F.col("moved_to").alias("formerly_to")
    )
    both = former.join(decided.select("image_id", "verdict", "moved_to"), "image_id", how="left")
    # What is gone and was not published changes nothing.
    both = both.where(F.col("verdict").isNotNull() | is_published(F.col("former")))
    same = (F.col("verdict") == F.col("former")) & F.col("moved_to").eqNullSafe(F.col("formerly_to"))
    gone = F.col("verdict").isNull()
    row = both.agg(
        F.count("*").alias("before"), F.count_if(~gone & ~same).alias("changed"), F.count_if(gone).alias("gone")
    )
    before, changed, lost = row.collect()[0]
    return Change(before, changed + lost, lost)


def _behind(lake: Lake, published: Snapshot) -> int | None:
    """Return the snapshot id of the decisions; a compaction does not name them, but what it compacted does."""
    versions = {snapshot.id: snapshot for snapshot in lake.versions(CLEANED)}
    at: Snapshot | None = published
    while at and DECISIONS.name not in at.inputs:
        at = versions.get(at.parent) if at.parent else None
    return at.inputs[DECISIONS.name] if at else None

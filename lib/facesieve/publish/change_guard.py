"""How much an apply would change of what is published: images that leave or get another name, and images that are gone.

What is published is compared with what would be. What comes in is no change. Before anything is published, all is free.
"""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from facesieve.core.console import count
from facesieve.core.sections import Publish
from facesieve.core.tables import Cleaned, Decisions
from facesieve.lake.decide_records import PublishRecord
from facesieve.publish.wanted import Wanted

_SIDES = ("former", "coming", "there")
"""Where a row of the comparison is from: what is published, what would be, what is in the source."""

_LOOK = "Run it with publish.apply = false and look at the table decisions"


@dataclass(frozen=True)
class Change:
    """Images that are published, and what would become of them.

    changed: still in the source, but no longer to be published, or under another identity. gone: no longer in the
    source; a file that was renamed or written anew is gone too, and comes in as another. added: images that come in.
    """

    published: int = 0
    changed: int = 0
    gone: int = 0
    added: int = 0

    def objection(self, settings: Publish) -> str:
        """Say why the change is refused; empty if it is not.

        Up to `publish.floor` images may always change, and as many be gone; a limit of 0 lets none.
        """
        objections = []
        if self._exceeds(self.changed, settings.max_change, settings.floor):
            objections.append(
                f"{self._of(self.changed)} published images would leave the cleaned data set or change their identity, "
                f"more than publish.max_change = {_limit(settings.max_change, settings.floor)}. {_LOOK}; "
                "raise publish.max_change for this once to apply."
            )
        if self._exceeds(self.gone, settings.max_gone, settings.floor):
            objections.append(
                f"{self._of(self.gone)} published images are gone from the source, "
                f"more than publish.max_gone = {_limit(settings.max_gone, settings.floor)}. "
                "See whether images.root is whole; "
                "raise publish.max_gone for this once if they were taken out on purpose."
            )
        return " ".join(objections)

    def summary(self) -> str:
        """Say what an apply would do to what is published; empty where nothing is."""
        if not self.published:
            return ""
        counts = f"{count(self.changed)} would change, {count(self.gone)} are gone, {count(self.added)} would come in"
        return f"of {count(self.published)} published images {counts}"

    def record(self, exported: int) -> PublishRecord:
        """Return what the ledger keeps of it, and of the number of exports."""
        return PublishRecord(
            decided_before=self.published, changed=self.changed, gone=self.gone, added=self.added, exported=exported
        )

    def _exceeds(self, images: int, share: float, floor: int) -> bool:
        return images > _free(share, floor) and images > share * self.published

    def _of(self, images: int) -> str:
        return f"{count(images)} of {count(self.published)} ({images / self.published:.1%})"


def _free(share: float, floor: int) -> int:
    """Return how many images a limit always lets change; a share of 0 lets none."""
    return floor if share > 0 else 0


def _limit(share: float, floor: int) -> str:
    return f"{share:g}" + (f" and than publish.floor = {floor}" if _free(share, floor) else "")


def compare(published: Cleaned, wanted: Wanted, decisions: Decisions) -> Change:
    """Compare what is published with what would be, image by image; an image may be published under several names."""
    rows = _named(published, "former").unionByName(_named(wanted, "coming"))
    rows = rows.unionByName(_named(decisions.withColumn("identity", F.lit(None).cast("string")), "there"))
    # One shuffle serves both groupings, where joins would take one for each side.
    names = rows.repartition("image_id").groupBy("image_id", "identity").agg(*(_any(name) for name in _SIDES))
    lost = F.bool_or(F.col("former") & ~F.col("coming")).alias("lost")
    images = names.groupBy("image_id").agg(lost, *(F.bool_or(name).alias(name) for name in _SIDES))
    row = images.agg(
        F.count_if("former").alias("published"),
        F.count_if(F.expr("lost AND there")).alias("changed"),
        F.count_if(F.expr("former AND NOT there")).alias("gone"),
        F.count_if(F.expr("coming AND NOT former")).alias("added"),
    ).collect()[0]
    return Change(row.published, row.changed, row.gone, row.added)


def _named(rows: DataFrame, side: str) -> DataFrame:
    return rows.select("image_id", "identity", F.lit(side).alias("side"))


def _any(side: str) -> Column:
    return F.bool_or(F.col("side") == side).alias(side)

"""What changed since the run before: verdicts, images, and clusters that were split or merged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, NewType

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from facesieve.assess.report_page.run_tables import RunTables

SHOWN_PAIRS = 100
"""Pairs of each kind that are shown, those of which most faces were parted or joined."""
SHOWN_FACES = 6
"""Faces of a part that are shown."""

_Parts = NewType("_Parts", DataFrame)
"""now, former, shared: faces that a cluster of this run has from a cluster of the run before."""


class Part(NamedTuple):
    """Faces that a cluster of this run has from a cluster of the run before; a few of them, by face_id."""

    now: int
    former: int
    shared: int
    faces: tuple[int, ...] = ()


@dataclass(frozen=True)
class ClusterChanges:
    """How many clusters were split and merged, and the pairs of parts that say so."""

    split: int = 0
    merged: int = 0
    splits: Sequence[tuple[Part, Part]] = ()
    merges: Sequence[tuple[Part, Part]] = ()


def verdict_changes(now: RunTables, before: RunTables) -> dict[str, Any]:
    """Count images by what they were and what they are, those that are new, and those that are gone."""
    former = before.decisions.select("image_id", F.col("verdict").alias("from"))
    present = now.decisions.select("image_id", F.col("verdict").alias("to"))
    rows = former.join(present, "image_id", how="outer").groupBy("from", "to").count().collect()
    counts = {(row["from"], row["to"]): row["count"] for row in rows}
    changed = [(pair, number) for pair, number in counts.items() if None not in pair and pair[0] != pair[1]]
    ordered = sorted(changed, key=lambda each: (-each[1], each[0]))
    return {
        "verdicts": [{"from": pair[0], "to": pair[1], "count": number} for pair, number in ordered],
        "new_images": sum(number for pair, number in counts.items() if pair[0] is None),
        "gone_images": sum(number for pair, number in counts.items() if pair[1] is None),
    }


def cluster_changes(now: RunTables, before: RunTables) -> ClusterChanges:
    """Compare the clusters of the scope that both runs have, global before identity, by the faces of both."""
    scope = next((each for each in ("global", "identity") if each in now.scopes and each in before.scopes), None)
    if scope is None:
        return ClusterChanges()
    both = _both(now, before, scope).persist()
    parts = _Parts(both.groupBy("now", "former").agg(F.count("*").alias("shared")).persist())
    split, splits = _pairs(parts, "former", "now")
    merged, merges = _pairs(parts, "now", "former")
    faces = _faces(both, [part for pair in (*splits, *merges) for part in pair])
    changes = ClusterChanges(split, merged, _with_faces(splits, faces), _with_faces(merges, faces))
    parts.unpersist()
    both.unpersist()
    return changes


def _both(now: RunTables, before: RunTables, scope: str) -> DataFrame:
    frames = [
        tables.clusters.where(F.col("scope") == scope).select("face_id", F.col("cluster_id").alias(name))
        for tables, name in ((now, "now"), (before, "former"))
    ]
    return frames[0].join(frames[1], "face_id", how="inner")


def _pairs(parts: _Parts, whole: str, part: str) -> tuple[int, list[tuple[Part, Part]]]:
    """Return how many of `whole` are of several parts, and the two largest parts of those with the largest second."""
    largest = Window.partitionBy(whole).orderBy(F.desc("shared"), part)
    placed = parts.withColumn("place", F.row_number().over(largest)).where("place <= 2")
    struct = F.struct("now", "former", "shared")
    both = placed.groupBy(whole).agg(
        F.min(F.when(F.col("place") == 1, struct)).alias("first"),
        F.min(F.when(F.col("place") == 2, struct)).alias("second"),
    )
    several = both.where("second IS NOT NULL").persist()
    rows = several.orderBy(F.desc("second.shared"), whole).limit(SHOWN_PAIRS).collect()
    number = several.count()
    several.unpersist()
    return number, [(Part(*row["first"]), Part(*row["second"])) for row in rows]


def _faces(both: DataFrame, parts: Sequence[Part]) -> dict[tuple[int, int], tuple[int, ...]]:
    if not parts:
        return {}
    keys = sorted({(part.now, part.former) for part in parts})
    wanted = F.broadcast(both.sparkSession.createDataFrame(keys, "now bigint, former bigint"))
    place = F.row_number().over(Window.partitionBy("now", "former").orderBy("face_id"))
    first = both.join(wanted, ["now", "former"], how="inner").withColumn("place", place)
    few = (
        first.where(F.col("place") <= SHOWN_FACES).groupBy("now", "former").agg(F.sort_array(F.collect_list("face_id")))
    )
    return {(row[0], row[1]): tuple(row[2]) for row in few.collect()}


def _with_faces(
    pairs: Sequence[tuple[Part, Part]], faces: dict[tuple[int, int], tuple[int, ...]]
) -> list[tuple[Part, Part]]:
    first, second = ([part._replace(faces=faces[part.now, part.former]) for part in side] for side in _sides(pairs))
    return list(zip(first, second, strict=True))


def _sides(pairs: Sequence[tuple[Part, Part]]) -> tuple[list[Part], list[Part]]:
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]

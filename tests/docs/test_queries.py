"""The queries of the pages that say what to look at first, run as they stand there."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from pages import PAGES
from pyspark.sql import SparkSession

from facesieve.core.tables import CLEANED, CLUSTERS, DECISIONS, IDLE, Table


def _query(page: str, table: str) -> str:
    """Return the query of a page that selects from a table."""
    queries = re.findall(r"```sql\n(.*?)```", PAGES[page], re.DOTALL)
    (query,) = (each for each in queries if re.search(rf"FROM {table}\s", each))
    return str(query)


def _show(spark: SparkSession, table: Table, rows: list[dict[str, Any]]) -> None:
    whole = [tuple(row.get(column.name) for column in table.columns) for row in rows]
    spark.createDataFrame(whole, table.columns).createOrReplaceTempView(table.name)


def _face(face_id: int, cluster_id: int, stability: float | None, cohesion: float, **others: Any) -> dict[str, Any]:
    row = {"face_id": face_id, "cluster_id": cluster_id, "stability": stability, "cohesion": cohesion}
    return {"scope": "global", "attached": False} | row | others


def test_the_longer_queue_of_clusters_begins_with_the_least_stable(spark: SparkSession) -> None:
    faces = [_face(1, 1, 1.0, 0.9), _face(2, 2, 1.0, 0.6), _face(3, 3, 1.0, 0.8), _face(4, 3, 0.5, 0.8)]
    faces += [_face(5, 1, 0.0, 0.9, attached=True), _face(6, 6, 0.1, 0.9, scope="identity")]
    _show(spark, CLUSTERS, faces)
    assert [row.cluster_id for row in spark.sql(_query("docs/clustering.md", "clusters")).collect()] == [3, 2, 1]


def test_images_of_unstable_clusters_come_before_others_that_are_quarantined(spark: SparkSession) -> None:
    _show(spark, CLUSTERS, [_face(1, 1, 1.0, 0.9), _face(2, 2, 0.5, 0.9), _face(3, 3, 1.0, 0.9), _face(4, 4, 0.1, 0.9)])
    confidences = {"a": (1, 0.6), "b": (2, 0.9), "c": (3, 0.5), "dropped": (4, 0.5), "no face": (None, None)}
    images = [
        {"uri": uri, "verdict": "drop" if uri == "dropped" else "quarantine", "cluster_scope": "global"}
        | {"face_id": face, "confidence": confidence, "reasons": ["flip"]}
        for uri, (face, confidence) in confidences.items()
    ]
    _show(spark, DECISIONS, images)
    assert [row.uri for row in spark.sql(_query("docs/decisions.md", "decisions")).collect()] == [
        "b",
        "c",
        "a",
        "no face",
    ]


def test_published_images_that_would_leave_are_named(spark: SparkSession) -> None:
    verdicts = {1: "keep", 2: "move", 3: "quarantine"}
    _show(spark, DECISIONS, [{"image_id": image, "verdict": verdict} for image, verdict in verdicts.items()])
    _show(spark, CLEANED, [{"image_id": image, "uri": str(image), "identity": "Ann"} for image in (1, 2, 3, 4)])
    rows = spark.sql(_query("docs/decisions.md", "cleaned")).collect()
    assert [(row.uri, row.verdict) for row in rows] == [("3", "quarantine"), ("4", None)]


def test_what_waits_for_retention_is_told_the_longest_first(spark: SparkSession) -> None:
    since = {1: datetime(2026, 11, 3, tzinfo=UTC), 2: datetime(2026, 11, 1, tzinfo=UTC)}
    _show(spark, IDLE, [{"kind": "gone", "image_id": image, "since": at} for image, at in since.items()])
    rows = spark.sql(_query("docs/retention.md", "idle")).collect()
    assert [(row.kind, row.image_id) for row in rows] == [("gone", 2), ("gone", 1)]

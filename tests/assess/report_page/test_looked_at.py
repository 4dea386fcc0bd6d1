"""What an image is about, and how likely it is wrong what became of it."""

from __future__ import annotations

from typing import Any

import pytest
from pyspark.sql import SparkSession
from reported import ANN, CMD, SCRIPT, Reported

from facesieve.assess.report_page.contents import Frames
from facesieve.assess.report_page.looked_at import LOOKED_AT, kind, wrong

CASES = [
    ("keep", [], 0.9, "outlier", 0.1),
    ("keep", [], None, "outlier", 0.0),
    ("drop", ["outlier"], 0.999, "outlier", 0.05),
    ("drop", ["outlier"], 0.6, "outlier", 0.4),
    ("drop", ["outlier"], None, "outlier", 0.5),
    ("drop", ["identity_too_small"], None, "outlier", 0.05),
    ("drop", ["duplicate"], 1.0, "duplicate", 0.05),
    ("move", ["flip"], 0.75, "flip", 0.25),
    ("quarantine", ["flip"], 0.2, "flip", 0.5),
    ("quarantine", ["close_modes"], 0.8, "quarantine", 0.8),
    ("quarantine", ["two_identities"], None, "quarantine", 0.5),
    ("fail", ["no_face"], None, "reject", 0.05),
]


def test_kinds_and_probabilities(spark: SparkSession) -> None:
    rows = [(number, *case[:3]) for number, case in enumerate(CASES)]
    frame = spark.createDataFrame(rows, "n int, verdict string, reasons array<string>, confidence double")
    answers = frame.select("n", kind().alias("kind"), wrong().alias("wrong")).orderBy("n").collect()
    assert [(row["kind"], round(row["wrong"], 6)) for row in answers] == [case[3:] for case in CASES]


@pytest.fixture(scope="module")
def rows(shared: Frames) -> dict[int, dict[str, Any]]:
    assert shared.images.columns == LOOKED_AT.names
    return {row["image_id"]: row.asDict() for row in shared.images.collect()}


def test_an_image_knows_its_clusters_and_the_main_one_of_its_folder(
    rows: dict[int, dict[str, Any]], world: Reported
) -> None:
    assert len(rows) == len(world.image)
    assert [rows[world.image[ANN, place]]["main"] for place in (0, 8)] == [True, False]
    assert [rows[world.image[ANN, place]]["mode"] for place in (0, 8)] == [10, 15]
    failed = rows[world.image[CMD, 4]]
    assert (failed["mode"], failed["cluster"], failed["main"], failed["kind"]) == (None, None, False, "reject")
    assert rows[world.image[CMD, 3]]["judged"]
    assert rows[world.image[SCRIPT, 4]]["wrong"] == pytest.approx(0.6, abs=1e-6)

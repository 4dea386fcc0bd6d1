"""Checks are asked of rows: how many each finds, and what becomes of a query that fails on them."""

from __future__ import annotations

from pathlib import Path

import pytest
from deciding import rows_of
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from facesieve.core.errors import ConfigError
from facesieve.core.tables import CLEANED, DECISIONS, Cleaned, Decisions
from facesieve.publish.check_files import Check
from facesieve.publish.check_queries import Views, no_rows
from facesieve.publish.checks import Failure, failures, prepared


@pytest.fixture(scope="module")
def views(spark: SparkSession) -> Views:
    """Two decisions, three rows to be published, nothing published."""
    rows = [{"identity": "Ann", "image_id": image, "uri": f"{image}.jpg"} for image in (1, 2, 3)]
    decided = rows_of(spark, DECISIONS.columns, [{"image_id": image, "verdict": "keep"} for image in (1, 2)])
    staged = rows_of(spark, CLEANED.columns, rows).withColumn("of others", F.lit(1))
    return no_rows(spark)._replace(decisions=Decisions(decided), cleaned_staged=Cleaned(staged))


def _asked(spark: SparkSession, views: Views, **queries: str) -> list[Failure]:
    return failures(spark, [Check(name, query) for name, query in queries.items()], views)


def test_the_rows_that_each_check_finds_are_counted(spark: SparkSession, views: Views) -> None:
    assert _asked(
        spark,
        views,
        fine="SELECT * FROM cleaned",
        lost="SELECT * FROM cleaned_staged s LEFT ANTI JOIN decisions d ON d.image_id = s.image_id",
        all="SELECT image_id FROM cleaned_staged ORDER BY image_id;",
        one="SELECT count(*) FROM cleaned",
    ) == [Failure("lost", 1), Failure("all", 3), Failure("one", 1)]
    assert _asked(spark, views) == []
    with pytest.raises(ConfigError, match=r"others cannot be answered .UNRESOLVED_COLUMN"):
        _asked(spark, views, others="SELECT `of others` FROM cleaned_staged")


def test_a_query_that_fails_on_the_rows_is_told_without_their_values(spark: SparkSession, views: Views) -> None:
    """Spark finds the one fault when it plans, the other one in a task."""
    for query, error in (
        ("SELECT * FROM cleaned_staged WHERE CAST(identity AS int) = 1", "CAST_INVALID_INPUT"),
        ("SELECT * FROM cleaned_staged WHERE image_id = (SELECT image_id FROM decisions)", "SCALAR_SUBQUERY_TOO_MANY"),
    ):
        with pytest.raises(ConfigError, match=f"publish.checks: q cannot be answered .{error}") as caught:
            _asked(spark, views, q=query)
        assert "Ann" not in str(caught.value)
    assert not spark.catalog.tableExists("cleaned_staged")


def test_all_faults_of_queries_are_told_at_once(spark: SparkSession, tmp_path: Path) -> None:
    queries = {"a.sql": "SELECT 1", "b.sql": "DROP TABLE cleaned", "c.sql": "SELECT nobody FROM decisions"}
    for name, query in queries.items():
        (tmp_path / name).write_text(query)
    with pytest.raises(ConfigError) as caught:
        prepared(spark, [str(tmp_path / name) for name in queries])
    assert [Path(fault.problem.split(" ")[0].rstrip(":")).name for fault in caught.value.faults] == ["b.sql", "c.sql"]
    assert [check.query for check in prepared(spark, [str(tmp_path / "a.sql")])] == ["SELECT 1"]

"""What a check may be: one query that reads. Told from Spark's plan, on views without rows."""

from __future__ import annotations

from typing import Any

import pytest
from py4j.java_gateway import is_instance_of
from pyspark.sql import SparkSession

from facesieve.publish import check_queries
from facesieve.publish.check_files import Check
from facesieve.publish.check_queries import no_rows, query_fault, shown

FINE = [
    "SELECT * FROM cleaned_staged",
    "-- a comment\nWITH q AS (SELECT identity FROM cleaned) SELECT * FROM q WHERE identity IS NULL;\n",
    "SELECT s.image_id FROM cleaned_staged s LEFT ANTI JOIN decisions USING (image_id)",
    "SELECT 1 WHERE (SELECT count(*) FROM cleaned_staged) < (SELECT count(*) FROM cleaned) / 2",
    "TABLE cleaned",
    "SELECT evidence.cosine, reasons[0] FROM decisions WHERE EXISTS (SELECT 1 FROM cleaned WHERE label < 0)",
]
ACTS = {
    "INSERT INTO lake.{0}.t SELECT 1": "InsertIntoStatement",
    "WITH q AS (SELECT 1) INSERT INTO lake.{0}.t SELECT * FROM q": "InsertIntoStatement",
    "FROM (SELECT 1 AS a) INSERT INTO lake.{0}.t SELECT a INSERT INTO lake.{0}.t SELECT a": "InsertIntoStatement",
    "DELETE FROM lake.{0}.t": "DeleteFromTable",
    "UPDATE lake.{0}.t SET a = 1": "UpdateTable",
    "MERGE INTO lake.{0}.t USING (SELECT 1 AS a) AS q ON false WHEN NOT MATCHED THEN INSERT *": "MergeIntoTable",
    "CREATE TABLE lake.{0}.u USING iceberg AS SELECT * FROM cleaned": "CreateTableAsSelect",
    "DROP TABLE lake.{0}.t": "DropTable",
    "CALL lake.system.expire_snapshots('{0}.t')": "CallStatement",
    "ALTER TABLE lake.{0}.t CREATE BRANCH b": "CreateOrReplaceBranch",
    "CACHE TABLE cleaned": "CacheTable",
    "SET spark.sql.ansi.enabled = false": "SetCommand",
    "SELECT TRANSFORM(uri) USING 'cat' FROM cleaned": "ScriptTransformation",
    "SELECT reflect('java.lang.System', 'gc')": "CallMethodViaReflection",
    "SELECT 1 WHERE EXISTS (SELECT java_method('java.lang.System', 'gc'))": "CallMethodViaReflection",
}
WRONG = {
    "": "Syntax error",
    "-- nothing but a comment": "Syntax error",
    "SELECT 1; SELECT 2": "extra input",
    "SELEC 1": "Syntax error",
    "SELECT * FROM cleaned WHERE uri = 'a": "Syntax error",
    "SELECT nobody FROM cleaned": "`nobody` cannot be resolved",
    "SELECT * FROM nowhere": "`nowhere` cannot be found",
    "SELECT nothing(uri) FROM cleaned": "Cannot resolve function `nothing`",
    "SELECT * FROM cleaned WHERE uri": 'Filter expression "uri" of type "STRING" is not a boolean',
}


@pytest.fixture(scope="module")
def namespace(spark: SparkSession) -> str:
    spark.sql("CREATE NAMESPACE IF NOT EXISTS lake.acts")
    spark.sql("CREATE TABLE IF NOT EXISTS lake.acts.t (a int) USING iceberg")
    return "acts"


def _problem(spark: SparkSession, query: str) -> str:
    with shown(no_rows(spark)):
        fault = query_fault(spark, Check("a.sql", query))
    if fault is None:
        return ""
    assert fault.key == "publish.checks"
    assert fault.problem.startswith("a.sql")
    return fault.problem


@pytest.mark.parametrize("query", FINE)
def test_queries_that_read_are_taken(spark: SparkSession, query: str) -> None:
    assert _problem(spark, query) == ""


@pytest.mark.parametrize("query", ACTS)
def test_what_does_more_than_read_is_refused_and_not_run(spark: SparkSession, namespace: str, query: str) -> None:
    tables = spark.sql(f"SHOW TABLES IN lake.{namespace}").collect()
    problem = _problem(spark, query.format(namespace))
    assert f"is no query, or does more than read ({ACTS[query]})" in problem
    assert spark.sql(f"SHOW TABLES IN lake.{namespace}").collect() == tables
    assert spark.table(f"lake.{namespace}.t.snapshots").count() == 0
    assert spark.conf.get("spark.sql.ansi.enabled") == "true"


@pytest.mark.parametrize("query", WRONG)
def test_what_spark_cannot_resolve_is_told_in_its_words(spark: SparkSession, query: str) -> None:
    assert WRONG[query] in _problem(spark, query)


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("SELECT * FROM lake.new.edges JOIN cleaned ON false", False),
        ("SELECT * FROM LAKE.`new`.`edges`", True),
        ("SELECT * FROM lake.new.edgs", True),
        ("SELECT * FROM nowhere", True),
        ("SELECT nobody FROM cleaned", True),
        ("INSERT INTO lake.new.edges SELECT 1", True),
    ],
)
def test_a_table_that_the_run_will_make_may_be_absent_for_now(spark: SparkSession, query: str, fault: bool) -> None:
    with shown(no_rows(spark)):
        assert (query_fault(spark, Check("a.sql", query), ["lake.new.edges"]) is not None) == fault


def test_a_long_list_of_ids_is_not_asked_about_one_by_one(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each question is a call to Java: 1,500 ids took more than a minute, twice a run."""
    asked: list[str] = []

    def counted(gateway: Any, node: Any, kind: str) -> bool:
        asked.append(kind)
        return bool(is_instance_of(gateway, node, kind))

    monkeypatch.setattr(check_queries, "is_instance_of", counted)
    ids = ", ".join(map(str, range(200)))
    assert _problem(spark, f"SELECT * FROM decisions WHERE image_id IN ({ids})") == ""
    assert 0 < len(asked) < 200


def test_the_views_are_gone_afterwards(spark: SparkSession) -> None:
    with shown(no_rows(spark)):
        assert spark.table("cleaned_staged").count() == 0
    assert not spark.catalog.tableExists("cleaned_staged")

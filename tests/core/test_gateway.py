"""Classes are asked for once, members too; collections come in one piece."""

from __future__ import annotations

from typing import Any

import pytest
from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from facesieve.core import gateway

pytestmark = pytest.mark.spark


@pytest.fixture
def questions(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What Python asks the JVM, but for objects that it lets go of."""
    client: Any = spark._jvm._gateway_client  # type: ignore[union-attr]
    asked: list[str] = []
    send = client.send_command

    def counted(command: str, *arguments: Any, **more: Any) -> Any:
        if not command.startswith("m\nd\n"):
            asked.append(command)
        return send(command, *arguments, **more)

    monkeypatch.setattr(client, "send_command", counted)
    return asked


def test_a_function_is_one_round_trip_once_it_was_asked_for(spark: SparkSession, questions: list[str]) -> None:
    gateway.remember_classes(spark)
    F.col("first")
    questions.clear()
    F.col("second")
    assert [question.split("\n")[0] for question in questions] == ["c"]


def test_remembered_classes_work_as_before(spark: SparkSession) -> None:
    gateway.remember_classes(spark)
    gateway.remember_classes(spark)
    row = spark.range(3).select(F.max(F.col("id") + F.lit(1)).alias("most")).collect()[0]
    assert row.most == 3
    jvm: Any = spark._jvm
    assert jvm.org.apache.spark.sql.SparkSession.active() is not None
    assert jvm.com.fasterxml.jackson.databind.ObjectMapper().writeValueAsString("one") == '"one"'


def test_no_class_is_looked_for_in_the_jars_once_it_was_found(spark: SparkSession, questions: list[str]) -> None:
    gateway.remember_classes(spark)

    def ask() -> None:
        spark.createDataFrame([(1,)], "id long").rdd.map(len).collect()
        with pytest.raises(AnalysisException):
            spark.table("no.such.table")
        F.udf(len, "int")(F.lit("a"))
        spark._jvm.java.lang.Thread.currentThread()  # type: ignore[union-attr]

    ask()
    questions.clear()
    ask()
    assert [question for question in questions if question.startswith("r\nu\n")] == []


def test_what_java_does_not_have_is_said_each_time(spark: SparkSession) -> None:
    gateway.remember_classes(spark)
    for _ in range(2):
        with pytest.raises(Exception, match="does not exist"):
            F._invoke_function("no_such_function")


def test_collections_come_in_two_round_trips(spark: SparkSession, questions: list[str]) -> None:
    gateway.remember_classes(spark)
    jvm: Any = spark._jvm
    names, sizes = jvm.java.util.ArrayList(), jvm.java.util.HashMap()
    for number, name in enumerate(("Ann", "Bob", "Zoë")):
        names.add(name)
        sizes.put(name, number)
    gateway.plain(jvm, names)
    questions.clear()
    assert gateway.plain(jvm, names) == ["Ann", "Bob", "Zoë"]
    assert len(questions) == 2
    assert gateway.plain(jvm, sizes) == {"Ann": 0, "Bob": 1, "Zoë": 2}

"""Fewer round trips between Python and the JVM: a small run makes tens of thousands, each a fraction of a millisecond.

PySpark asks the JVM for the class behind every `F.col`, which searches all jars, and for its member, each time anew.
A loop over a Java collection ends with an exception, of which PySpark asks sixty times what kind it is.
"""

from __future__ import annotations

import json
from typing import Any

from py4j.java_gateway import JavaPackage
from pyspark.sql import SparkSession

_ASKED_OFTEN = (
    *("functions", "PythonRDD", "PythonUtils", "SerDeUtil", "SimplePythonFunction"),
    *("SparkSession", "SparkSession$", "Thread", "com", "java", "org", "py4j"),
)


class _Remembered:
    """A class or a package of Java that is asked once for each of its members."""

    def __init__(self, java: Any) -> None:
        self._java = java

    def __call__(self, *arguments: Any) -> Any:
        return self._java(*arguments)

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._java, name)
        remembered = _Remembered(member) if isinstance(member, JavaPackage) else member
        setattr(self, name, remembered)
        return remembered


def remember_classes(spark: SparkSession) -> None:
    """Let Python remember the classes of Java that PySpark and this job ask for again and again."""
    jvm: Any = spark._jvm
    for name in _ASKED_OFTEN:
        if name not in vars(jvm):
            setattr(jvm, name, _Remembered(getattr(jvm, name)))


def plain(jvm: Any, value: Any) -> Any:
    """Turn a Java collection of texts and numbers into Python's, in two round trips. jvm: the session's `_jvm`."""
    return json.loads(jvm.com.fasterxml.jackson.databind.ObjectMapper().writeValueAsString(value))

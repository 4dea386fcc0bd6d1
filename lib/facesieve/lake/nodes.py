"""What must be the same on the nodes of a cluster as on the driver, looked at by a first task."""

from __future__ import annotations

import importlib
import importlib.util
import platform
import re
import socket
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession

import facesieve
from facesieve.core.errors import Fault, first_line

_KEY = "PYSPARK_PYTHON"
_PACKAGES = ("facesieve", "numpy", "pandas", "pyarrow", "PIL", "tensorflow")
"""Modules that workers import."""

_CAUSES = (
    (r"Cannot run program .*", "Python does not start on a node"),
    (r"(?<=\[PYTHON_VERSION_MISMATCH\] ).*?(?=, PySpark|$)", "the nodes have another Python than the driver"),
)
_SAME = (
    f"Give spark-submit --archives dist/facesieve-env.tar.gz#env and {_KEY}=./env/bin/python (make pack makes the "
    f"archive). The same base Python must be at {Path(sys.base_prefix) / 'bin'} on every node."
)


class Node(NamedTuple):
    """What a task finds where it runs: host, system and machine, and which modules cannot be imported there."""

    host: str
    platform: str
    version: str
    missing: Sequence[str]


def node_faults(spark: SparkSession) -> list[Fault]:
    """Return in what the nodes differ from the driver, so that no task could work there; none on one machine.

    A task for each core starts Python there, which the tasks that follow go on with.
    """
    context = spark.sparkContext
    if str(context.master).startswith("local"):
        return []
    tasks = context.defaultParallelism
    try:
        nodes = context.parallelize(range(tasks), tasks).mapPartitions(_look_for(_PACKAGES)).collect()
    except Py4JJavaError as problem:
        return [_cause(str(problem.java_exception.toString()))]
    return differences([Node(*node) for node in nodes])


def differences(nodes: Sequence[Node]) -> list[Fault]:
    """Return a fault for each way in which nodes cannot do the work, naming one node and the number of all such."""
    faults = []
    here = f"{platform.system()} on {platform.machine()}"
    if others := [node for node in nodes if node.platform != here]:
        problem = f"{_named(others)} runs {others[0].platform}, the driver {here}"
        faults.append(Fault(_KEY, problem, "Make the archive of the environment on the platform of the nodes."))
    if lacking := [node for node in nodes if node.missing]:
        modules = ", ".join(sorted({module for node in lacking for module in node.missing}))
        fix = "Give spark-submit --py-files dist/facesieve.zip." if modules == "facesieve" else _SAME
        faults.append(Fault(_KEY, f"{_named(lacking)} lacks {modules}", fix))
    if others := [node for node in nodes if node.version not in ("", facesieve.__version__)]:
        problem = f"{_named(others)} has facesieve {others[0].version}, the driver {facesieve.__version__}"
        faults.append(Fault(_KEY, problem, "Give spark-submit --py-files dist/facesieve.zip, made anew by make build."))
    return faults


def _look_for(modules: tuple[str, ...]) -> Any:
    """Make what a task does. It travels as code, since the node may lack this module."""

    def look(_numbers: Iterator[int]) -> Iterator[tuple[str, str, str, list[str]]]:
        missing = [module for module in modules if importlib.util.find_spec(module) is None]
        version = "" if "facesieve" in missing else importlib.import_module("facesieve").__version__
        yield socket.gethostname(), f"{platform.system()} on {platform.machine()}", version, missing

    return look


def _cause(text: str) -> Fault:
    for pattern, meaning in _CAUSES:
        if words := re.search(pattern, text, re.MULTILINE):
            return Fault(_KEY, f"{meaning} ({first_line(words.group())})", _SAME)
    return Fault(_KEY, f"a first task failed on a node ({first_line(text)})", _SAME)


def _named(nodes: Sequence[Node]) -> str:
    hosts = sorted({node.host for node in nodes})
    return hosts[0] if len(hosts) == 1 else f"{hosts[0]} (one of {len(hosts)} nodes)"

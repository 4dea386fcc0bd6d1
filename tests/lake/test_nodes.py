"""Nodes that differ from the driver: one sentence each, which says what to do. (`tests/deployed` asks real nodes.)"""

from __future__ import annotations

import platform
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from pyspark.serializers import CloudPickleSerializer
from pyspark.sql import SparkSession

import facesieve
from facesieve.lake import nodes
from facesieve.lake.nodes import Node, differences

HERE = f"{platform.system()} on {platform.machine()}"
GOOD = Node("one", HERE, facesieve.__version__, ())


def test_nodes_like_the_driver_have_no_fault() -> None:
    assert differences([GOOD, GOOD._replace(host="two")]) == []
    assert differences([]) == []


@pytest.mark.parametrize(
    ("other", "problem", "fix"),
    [
        (GOOD._replace(platform="Linux on sparc"), f"one runs Linux on sparc, the driver {HERE}", "platform"),
        (GOOD._replace(missing=("facesieve",), version=""), "one lacks facesieve", "--py-files"),
        (GOOD._replace(missing=("numpy", "PIL")), "one lacks PIL, numpy", "--archives"),
        (GOOD._replace(version="0.1"), f"one has facesieve 0.1, the driver {facesieve.__version__}", "make build"),
    ],
)
def test_a_node_that_differs_is_one_sentence(other: Node, problem: str, fix: str) -> None:
    (fault,) = differences([GOOD._replace(host="two"), other])
    assert fault.problem == problem
    assert fix in fault.fix


def test_many_such_nodes_are_counted() -> None:
    lacking = GOOD._replace(missing=("numpy",))
    (fault,) = differences([lacking, lacking._replace(host="another"), lacking._replace(host="last")])
    assert fault.problem == "another (one of 3 nodes) lacks numpy"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            'org.apache.spark.SparkException: Job aborted\njava.io.IOException: Cannot run program "./env/bin/python": '
            "error=2, No such file or directory\n\tat java.base/x",
            'Python does not start on a node (Cannot run program "./env/bin/python": error=2, No such file',
        ),
        (
            "Traceback\npyspark.errors.exceptions.base.PySparkRuntimeError: [PYTHON_VERSION_MISMATCH] Python in worker "
            "has different version (3, 12) than that in driver 3.11, PySpark cannot run with different minor versions.",
            "the nodes have another Python than the driver (Python in worker has different version (3, 12) than that "
            "in driver 3.11)",
        ),
        ("java.lang.IllegalStateException: odd\n at x", "a first task failed on a node (java.lang.Ill"),
    ],
)
def test_a_first_task_that_fails_is_one_sentence(text: str, problem: str) -> None:
    fault = nodes._cause(text)
    assert fault.key == "PYSPARK_PYTHON"
    assert fault.problem.startswith(problem)
    assert "--archives" in fault.fix


def test_what_the_task_does_needs_nothing_of_this_package(tmp_path: Path) -> None:
    task = CloudPickleSerializer().dumps(nodes._look_for(("facesieve", "numpy")))  # type: ignore[no-untyped-call]
    (tmp_path / "task").write_bytes(task)
    program = "import pickle, sys; print(*pickle.load(open('task', 'rb'))(iter(())))"
    path = ":".join(folder for folder in sys.path if "site-packages" in folder)
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == str((socket.gethostname(), HERE, "", ["facesieve"]))


def test_one_machine_is_not_asked(spark: SparkSession) -> None:
    before = spark.sparkContext._jsc.sc().dagScheduler().numTotalJobs()
    assert nodes.node_faults(spark) == []
    assert spark.sparkContext._jsc.sc().dagScheduler().numTotalJobs() == before

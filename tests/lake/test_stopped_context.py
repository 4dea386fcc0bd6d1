"""A context that the cluster has stopped: one sentence and exit code 1, whatever fails because of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from facesieve.lake.stopped_context import why_stopped

ROOT = Path(__file__).resolve().parents[2]
STOPPED_BY_SPARK = """
import sys
from pyspark.sql import SparkSession
from facesieve.cli import commands
spark = SparkSession.builder.master("local[1]").getOrCreate()
spark.sparkContext._jsc.sc().stop()
sys.exit(commands.run(sys.argv[1], sys.argv[2:]))
"""


def test_an_error_of_a_context_at_work_is_its_own(spark: SparkSession) -> None:
    assert why_stopped(ValueError("no such file")) is None


def test_spark_says_so_where_there_is_no_context_to_ask(spark: SparkSession) -> None:
    problem = RuntimeError("java.lang.IllegalStateException: Cannot call methods on a stopped SparkContext.\n at ...")
    assert f"the cluster {spark.sparkContext.master} gave no application" in str(why_stopped(problem))


@pytest.mark.spark
@pytest.mark.parametrize("command", ["sieve", "maintain"])
def test_no_setting_is_blamed(command: str, tmp_path: Path, facenet_weights: Path, photographs: Path) -> None:
    """Spark forgets the session's settings when it stops: a catalog is then said not to be defined."""
    places = ("--set", f"lake.root={tmp_path / 'lake'}", "--set", f"images.root={photographs}")
    arguments = [sys.executable, "-c", STOPPED_BY_SPARK, command, "--config", "conf/pipeline.toml", *places]
    environment = os.environ | {"SPARK_LOCAL_IP": "127.0.0.1"}
    environment.pop("PYSPARK_GATEWAY_PORT", None)
    done = subprocess.run(arguments, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    (line, hint) = done.stderr.splitlines()[-2:]
    assert line.startswith("failed: the cluster local[1] gave no application, or has ended it: ")
    assert "FACESIEVE_TRACEBACK" in hint
    assert done.stderr.count("failed: ") == 1
    assert "error: " not in done.stderr

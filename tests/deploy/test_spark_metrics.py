"""Spark's own metrics, served by a real application with the settings of the manifest."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

pytestmark = pytest.mark.spark

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("/metrics/prometheus/", "/metrics/executors/prometheus/")
APPLICATION = """
import json, sys, urllib.request
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
spark.range(1000).selectExpr("sum(id)").collect()
base = spark.sparkContext.uiWebUrl
print(json.dumps([urllib.request.urlopen(base + page).read().decode() for page in sys.argv[1:]]))
"""


def served(folder: Path, settings: dict[str, str]) -> list[str]:
    """The pages of an application with these settings, while it runs."""
    (folder / "application.py").write_text(APPLICATION)
    (folder / "spark.conf").write_text("".join(f"{key} {value}\n" for key, value in settings.items()))
    program = [str(Path(sys.executable).parent / "spark-submit"), "--master", "local[1]", "--name", "facesieve"]
    environment = os.environ | {"SPARK_LOCAL_IP": "127.0.0.1"}
    environment.pop("PYSPARK_GATEWAY_PORT", None)
    command = [*program, "--properties-file", str(folder / "spark.conf"), str(folder / "application.py"), *PAGES]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    pages: list[str] = json.loads(done.stdout.splitlines()[-1])
    return pages


def test_both_pages_are_served_under_names_that_stay(tmp_path: Path) -> None:
    manifest = yaml.safe_load((ROOT / "conf" / "deploy" / "spark-application.yaml").read_text(encoding="utf-8"))
    written = manifest["spec"]["sparkConf"]
    chosen = {key: value for key, value in written.items() if "prometheus" in key.lower() or ".metrics." in key}
    assert "spark.metrics.namespace" in chosen
    driver, executors = (
        {family.name for family in text_string_to_metric_families(page)} for page in served(tmp_path, chosen)
    )
    assert any(name.startswith("metrics_facesieve_driver_DAGScheduler") for name in driver)
    # Names with the id of the application would begin new series with each run.
    assert {name for name in driver if not name.startswith("metrics_facesieve_")} == set()
    assert "metrics_executor_completedTasks" in {name.removesuffix("_total") for name in executors}
    annotations = manifest["spec"]["driver"]["annotations"]
    assert annotations["prometheus.io/path"] in PAGES

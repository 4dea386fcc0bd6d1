"""What every benchmark starts with: where things are, the variables that Spark and its workers read, sessions.

Import it before `facesieve`: it lets a script be started from anywhere, without `conf/setup/environment.sh`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

ROOT = Path(__file__).resolve().parents[2]
LIB, CONFIG, PROFILES = str(ROOT / "lib"), str(ROOT / "conf" / "pipeline.toml"), str(ROOT / "conf" / "models")
DATA = Path(os.environ.get("FACESIEVE_DATA", ROOT.parent / "shared" / "data"))
"""The development data: LFW, its embeddings by two models, a second model."""

LFW_EMBEDDINGS = {"facenet": "facenet_embeddings.npz", "mobilefacenet": "embeddings.npz"}
"""By the name of the model's profile; in DATA / "lfw"."""

sys.path[:0] = [LIB, *(str(ROOT / "tests" / folder) for folder in ("bench", "demo", "fixtures"))]
os.environ.setdefault("SPARK_CONF_DIR", str(ROOT / "conf" / "spark"))
os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
# Spark's workers draw faces too.
os.environ["PYTHONPATH"] = os.pathsep.join([LIB, str(ROOT / "tests" / "bench")])


def one_thread() -> None:
    """Let processes that are started from now on use one thread each: Spark's tasks are the parallelism."""
    for pool in ("OMP", "OPENBLAS", "MKL"):
        os.environ[f"{pool}_NUM_THREADS"] = "1"


def session(cores: int = 2, settings: Mapping[str, object] | None = None) -> SparkSession:
    """Start Spark on this machine."""
    builder = SparkSession.builder.master(f"local[{cores}]").config("spark.driver.host", "127.0.0.1")
    for name, value in (settings or {}).items():
        builder = builder.config(name, str(value))
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def lfw_images() -> list[Path]:
    """The aligned photographs of LFW, in the order of their names."""
    return sorted((DATA / "lfw" / "images").rglob("*.jpg"))


def job_command(job: str, settings: Mapping[str, object], *more: str) -> list[str]:
    """Write the command that runs a job with these settings, whose record it prints."""
    values = {key: str(value).lower() if isinstance(value, bool) else value for key, value in settings.items()}
    sets = [part for key, value in values.items() for part in ("--set", f"{key}={value}")]
    return [str(ROOT / ".venv/bin/spark-submit"), f"jobs/{job}.py", "--config", CONFIG, "--json", *sets, *more]


def run_job(job: str, settings: Mapping[str, object], *more: str) -> dict[str, Any]:
    """Run a job, print how long it took, and return its record."""
    began = time.monotonic()
    ended = subprocess.run(job_command(job, settings, *more), cwd=ROOT, stdout=subprocess.PIPE, check=True)
    print(f"whole command: {time.monotonic() - began:.1f} s")
    record: dict[str, Any] = json.loads(ended.stdout)
    return record

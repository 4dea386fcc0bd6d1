"""The documented command on a real cluster: the rows of one machine, whatever is killed on the way."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pyspark
import pytest
from published import newest
from standalone import ROOT, Jobs, ended, wait_for

pytestmark = pytest.mark.cluster

LATER = ("edges", "votes", "clusters", "decisions", "identity_links", "cleaned")
SPARKS_OWN = sorted((Path(pyspark.__file__).parent / "python" / "lib").glob("*.zip"))
IMPORT_ALL = """
import importlib, pkgutil
import facesieve
for module in pkgutil.walk_packages(facesieve.__path__, "facesieve."):
    if module.name.split(".")[1] not in ("assess", "cli"):
        importlib.import_module(module.name)
import pyspark, tensorflow
from mtcnn.stages import StageONet
print(tensorflow.reduce_sum(tensorflow.ones((2, 2))).numpy(), tensorflow.__file__, pyspark.__file__)
"""


ENDS = {
    "start": "tasks at once",
    "listing": "embed: [0-9]+ of",
    "embed": "embed: (28 rows in|reused)",
    "link": "link: (27 rows in|reused)",
    "cluster": "cluster: ([0-9,]+ rows in|reused)",
    "decide": "decide: (28 rows in|reused)",
    "publish": "publish: 28 rows in",
}
"""What the console says when a step has ended; new images are embedded before they are listed."""

STEPS = tuple(ENDS)[1:]

RESTLESS = (
    "spark.speculation true",
    "spark.speculation.multiplier 1.1",
    "spark.speculation.quantile 0.1",
    "spark.dynamicAllocation.enabled true",
    "spark.dynamicAllocation.shuffleTracking.enabled true",
    "spark.dynamicAllocation.executorIdleTimeout 10s",
    "spark.dynamicAllocation.cachedExecutorIdleTimeout 20s",
)
"""Slow tasks are started twice, and executors go when they are idle."""


@pytest.fixture(autouse=True)
def nothing_left(jobs: Jobs) -> Iterator[None]:
    """A job that a failed test leaves would keep the executors."""
    yield
    jobs.stop()


def rows(lake: Path, *tables: str) -> dict[str, list[str]]:
    """Every row of the tables at the reading point, as text: floats equal to the bit, or not equal."""
    published = newest(lake / "lake")
    return {table: sorted(map(str, published.rows(table, "*"))) for table in tables}


@pytest.fixture(scope="module")
def lake(jobs: Jobs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake that the documented command has filled, with the environment as an archive."""
    lake = tmp_path_factory.mktemp("lakes") / "documented"
    assert ended(jobs.there(lake)) == 0, jobs.log(lake)
    return lake


def test_the_packed_python_imports_all_that_workers_do(jobs: Jobs) -> None:
    assert jobs.archive.stat().st_size <= 350e6, "every node fetches and unpacks it before the first task"
    path = ":".join(map(str, (*SPARKS_OWN, ROOT / "lib")))
    nothing_else = {"PATH": "/usr/bin:/bin", "PYTHONPATH": path, "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [str(jobs.python), "-c", IMPORT_ALL]
    done = subprocess.run(command, env=nothing_else, cwd=jobs.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    total, tensorflow, spark = done.stdout.split()
    assert float(total) == 4
    assert tensorflow.startswith(str(jobs.python.parents[1]))
    assert Path(spark).is_relative_to(SPARKS_OWN[-1].parent)


def test_the_console_is_quiet_and_the_ledger_counts_work(jobs: Jobs, lake: Path) -> None:
    console = jobs.log(lake).splitlines()
    assert len(console) <= 100
    assert not [line for line in console if "WARN" in line or "ERROR" in line]
    assert sum(stage["tasks"] for stage in jobs.record(lake)["stages"].values()) < 1_500


def test_one_machine_makes_the_same_rows_from_the_same_embeddings(jobs: Jobs, lake: Path) -> None:
    there = rows(lake, *LATER)
    assert len(there["decisions"]) == 28
    assert ended(jobs.here(lake, "--full")) == 0
    assert rows(lake, *LATER) == there


def test_a_python_that_is_not_there_is_one_sentence(jobs: Jobs, tmp_path: Path) -> None:
    lake = tmp_path / "none"
    assert ended(jobs.there(lake, python="/nowhere/python")) == 2
    (line,) = (line for line in jobs.log(lake).splitlines() if "error:" in line)
    assert 'PYSPARK_PYTHON: Python does not start on a node (Cannot run program "/nowhere/python"' in line
    assert "Traceback" not in jobs.log(lake)


@pytest.mark.long
def test_executors_killed_in_every_step(jobs: Jobs, lake: Path, tmp_path: Path) -> None:
    hurt = tmp_path / "hurt"
    job = jobs.there(hurt, python=str(jobs.python))
    for step in STEPS:
        wait_for_middle(jobs, hurt, job, step)
        os.kill(jobs.cluster.executors()[0], signal.SIGKILL)
    assert ended(job) == 0, jobs.log(hurt)
    assert jobs.log(hurt).count("Lost executor") >= len(STEPS), "each is told"
    assert verdicts(hurt) == verdicts(lake)
    there = rows(hurt, *LATER)
    assert ended(jobs.here(hurt, "--full")) == 0, jobs.log(hurt)
    assert rows(hurt, *LATER) == there, "undisturbed, from the same embeddings"


@pytest.mark.long
def test_the_driver_killed_in_three_steps_and_started_again(jobs: Jobs, lake: Path, tmp_path: Path) -> None:
    """Where chunks are committed, where supersteps are, and where one table and its exports are."""
    hurt = tmp_path / "hurt"
    for step in ("embed", "cluster", "publish"):
        seen = len(jobs.log(hurt))
        job = jobs.there(hurt, python=str(jobs.python))
        wait_for_middle(jobs, hurt, job, step, seen)
        os.killpg(job.pid, signal.SIGKILL)
        job.wait()
        wait_for(lambda: not jobs.cluster.executors(), "the executors of a dead driver have ended")
    assert ended(jobs.there(hurt, python=str(jobs.python))) == 0, jobs.log(hurt)
    assert verdicts(hurt) == verdicts(lake)


@pytest.mark.long
def test_workers_lost_while_tasks_run_twice_and_executors_come_and_go(jobs: Jobs, lake: Path) -> None:
    there = rows(lake, *LATER)
    seen = len(jobs.log(lake))
    job = jobs.there(lake, "--full", conf=RESTLESS, python=str(jobs.python))
    wait_for_middle(jobs, lake, job, "link", seen)
    for pid in wait_for(jobs.cluster.python_workers, "Python works"):
        os.kill(pid, signal.SIGKILL)
    wait_for_middle(jobs, lake, job, "cluster", seen)
    jobs.cluster.stop_worker(2)
    try:
        assert ended(job) == 0
    finally:
        jobs.cluster.start_worker(2)
    assert rows(lake, *LATER) == there


def verdicts(lake: Path) -> list[str]:
    """What became of each image; vectors embedded anew agree to 1e-5 only, since a network minds its batch a little."""
    return sorted(map(str, newest(lake / "lake").rows("decisions", "uri", "verdict", "reasons", "kept_image_id")))


def wait_for_middle(jobs: Jobs, lake: Path, job: subprocess.Popen[bytes], step: str, seen: int = 0) -> None:
    """Wait until a job is in the middle of a step. Fails the test where the step has ended before that."""
    begins, ends = list(ENDS.values())[STEPS.index(step)], ENDS[step]

    def begun() -> bool:
        return job.poll() is not None or re.search(begins, jobs.log(lake)[seen:]) is not None

    wait_for(begun, f"{step} begins")
    time.sleep(1)
    assert job.poll() is None, jobs.log(lake)
    assert not re.search(ends, jobs.log(lake)[seen:]), f"{step} was over before"

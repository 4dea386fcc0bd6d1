"""One lazy Spark session for the whole test run, and where the development data is."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from pyspark.sql import SparkSession

from facesieve.core.gateway import remember_classes

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("FACESIEVE_DATA", ROOT.parent / "shared" / "data"))
MODELS = Path(os.environ.get("FACESIEVE_MODELS", ROOT / ".cache" / "models"))

os.environ.setdefault("SPARK_CONF_DIR", str(ROOT / "conf" / "spark"))
os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
# Tests run many small plans once: Java's second compiler would take a third of the processor for nothing.
os.environ.setdefault("SPARK_SUBMIT_OPTS", "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=512m")
os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT / "lib"), *filter(None, [os.environ.get("PYTHONPATH")])])
os.environ["FACESIEVE_DATA"] = str(DATA)
os.environ["FACESIEVE_MODELS"] = str(MODELS)


# How long an example takes says more of what else the machine does than of the code.
settings.register_profile("facesieve", deadline=None)
settings.load_profile("facesieve")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs Spark, so that `make check` can leave it out."""
    for item in items:
        if "spark" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.spark)


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """The session that all Spark tests share: two cores, few partitions."""
    root = tmp_path_factory.mktemp("spark")
    session = (
        SparkSession.builder.master("local[2]")
        .appName("facesieve-tests")
        .config("spark.sql.shuffle.partitions", "3")
        .config("spark.driver.memory", "2g")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.sql.catalog.lake.warehouse", str(root / "lake"))
        .config("spark.sql.warehouse.dir", str(root / "warehouse"))
        .config("spark.local.dir", str(root / "local"))
        .config("spark.sql.ansi.enabled", "true")
        # As jobs do with few rows (`core.frames.follow_rows`): plans stand still, and none is compiled.
        .config("spark.sql.adaptive.enabled", "false")
        .config("spark.sql.codegen.wholeStage", "false")
        .config("spark.sql.codegen.factoryMode", "NO_CODEGEN")
        # What Spark remembers of finished queries for its UI would fill the heap in the course of the run.
        .config("spark.sql.ui.retainedExecutions", "20")
        .config("spark.ui.retainedJobs", "20")
        .config("spark.ui.retainedStages", "20")
        .config("spark.ui.retainedTasks", "200")
        .getOrCreate()
    )
    session.sparkContext.setCheckpointDir(str(root / "checkpoints"))
    remember_classes(session)
    yield session
    session.stop()


@pytest.fixture(scope="module", autouse=True)
def forgotten() -> Iterator[None]:
    """Let go of what a module's tests persisted: plans that are kept hold their broadcast tables, some 3 MB each.

    A session that is full does not fail: it tries for ever to get memory for the next broadcast.
    """
    yield
    session = SparkSession.getActiveSession()
    if session is not None:
        session.catalog.clearCache()


@pytest.fixture(scope="session")
def data() -> Path:
    """The development data (real faces, a second model); tests that need it skip where it is absent."""
    if not DATA.exists():
        pytest.skip(f"development data not found at {DATA} (set FACESIEVE_DATA)")
    return DATA


@pytest.fixture(scope="session")
def facenet_weights() -> Path:
    """FaceNet's weights."""
    return _of_setup(MODELS / "facenet_keras.h5")


@pytest.fixture(scope="session")
def photographs() -> Path:
    """The demonstration's photographs: folders `train` and `val`, in each a folder for every person."""
    return _of_setup(ROOT / ".cache" / "demo")


def _of_setup(place: Path) -> Path:
    """Return what `make setup` fetches. Its absence is a failure: a test that never runs proves nothing."""
    if not place.exists():
        pytest.fail(f"{place} is missing: run make setup", pytrace=False)
    return place

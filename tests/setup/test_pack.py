"""The packed environment: small, and all that a worker imports is in it."""

from __future__ import annotations

import subprocess
import tarfile
from pathlib import Path

import pack
import pyspark
import pytest

ROOT = Path(__file__).resolve().parents[2]
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


def test_what_only_the_driver_or_nobody_imports_is_left_out() -> None:
    names = set(pack.packages(ROOT))
    assert {"numpy", "pyarrow", "tensorflow", "keras", "pillow", "graphframes-py"} <= names
    assert not names & {"pyspark", "matplotlib", "mypy", "pytest", "scikit-learn", "libclang", "duckdb"}


def test_headers_tests_and_programs_are_left_out() -> None:
    paths = [path for package in pack.packages(ROOT).values() for _, path in pack.members(package)]
    assert "tensorflow/__init__.py" in paths
    assert not [path for path in paths if "/tests/" in path or "/include/" in path or path.endswith((".h", ".pyc"))]
    assert not [path for path in paths if path.startswith(("..", "/"))]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive, made and unpacked as a node would."""
    folder = tmp_path_factory.mktemp("packed")
    megabytes = pack.pack(ROOT, folder / pack.NAME) / 1e6
    assert megabytes <= 350, "every node fetches and unpacks it before the first task"
    with tarfile.open(folder / pack.NAME) as archive:
        archive.extractall(folder / "env", filter="fully_trusted")
    (folder / pack.NAME).unlink()
    return folder / "env"


def test_the_unpacked_python_imports_all_that_workers_do(unpacked: Path) -> None:
    path = ":".join(map(str, (*SPARKS_OWN, ROOT / "lib")))
    nothing_else = {"PATH": "/usr/bin:/bin", "PYTHONPATH": path, "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [str(unpacked / "bin" / "python"), "-c", IMPORT_ALL]
    done = subprocess.run(command, env=nothing_else, cwd=unpacked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    total, tensorflow, spark = done.stdout.split()
    assert float(total) == 4
    assert tensorflow.startswith(str(unpacked))
    assert Path(spark).is_relative_to(SPARKS_OWN[-1].parent)

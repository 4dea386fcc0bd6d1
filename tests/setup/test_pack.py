"""What goes into the packed environment. (`tests/deployed` packs it, imports all from it, and works with it.)"""

from __future__ import annotations

from pathlib import Path

import pack

ROOT = Path(__file__).resolve().parents[2]


def test_what_only_the_driver_or_nobody_imports_is_left_out() -> None:
    names = set(pack.packages(ROOT))
    assert {"numpy", "pyarrow", "tensorflow", "keras", "pillow", "graphframes-py"} <= names
    assert not names & {"pyspark", "matplotlib", "mypy", "pytest", "scikit-learn", "libclang", "duckdb"}


def test_headers_tests_and_programs_are_left_out() -> None:
    paths = [path for package in pack.packages(ROOT).values() for _, path in pack.members(package)]
    assert "tensorflow/__init__.py" in paths
    assert not [path for path in paths if "/tests/" in path or "/include/" in path or path.endswith((".h", ".pyc"))]
    assert not [path for path in paths if path.startswith(("..", "/"))]

"""Protected faces that another program exported: the digest is of the faces, whatever the files."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pyspark.sql import SparkSession

from facesieve.core.errors import ConfigError
from facesieve.decide.protected_faces import exported

FACES = [([1.0, 0.0], "ours@1"), ([0.5, 0.5], "ours@1"), ([1.0, 1.0, 1.0], "theirs@1")]


def test_the_faces_of_the_runs_model_are_taken(spark: SparkSession, tmp_path: Path) -> None:
    frame = spark.createDataFrame(FACES, "vector array<float>, model string")
    frame.coalesce(1).write.parquet(f"{tmp_path}/one")
    frame.orderBy("model", ascending=False).repartition(3).write.parquet(f"{tmp_path}/three")
    run: Any = SimpleNamespace(spark=spark, model="ours@1", profile=SimpleNamespace(dimension=2))
    whole, parts = (exported(run, f"{tmp_path}/{name}") for name in ("one", "three"))
    assert whole.digest == parts.digest
    assert sorted(row.vector for row in parts.vectors(run).collect()) == [[0.5, 0.5], [1.0, 0.0]]
    with pytest.raises(ConfigError, match="cannot be read"):
        exported(run, f"{tmp_path}/none")

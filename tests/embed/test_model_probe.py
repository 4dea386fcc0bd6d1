from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from facesieve.core.errors import ModelError
from facesieve.core.profiles import Profile
from facesieve.embed.model_probe import probe


def test_the_reason_of_a_worker_reaches_the_driver_whole(spark: SparkSession, tmp_path: Path) -> None:
    content = b"\x00\x00\x00\x00TFL3" + b"\x00" * 64
    (tmp_path / "model.tflite").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    profile = Profile(str(tmp_path / "model.tflite"), digest, "tflite", (32, 32), "none", 8, name="broken")
    with pytest.raises(ModelError, match="TFLite") as caught:
        probe(spark, profile)
    assert "\n" not in str(caught.value)
    assert "Traceback" not in str(caught.value)

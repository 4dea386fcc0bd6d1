"""A probe's vector is that of the same picture in a lake; the command's tests see what goes wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tiny_model
from pyspark.sql import SparkSession
from scenes import encoded, scene

from facesieve.core.config import Config
from facesieve.core.errors import ConfigError
from facesieve.core.profiles import Crop
from facesieve.core.sections import Embed
from facesieve.embed.embeddings import TO_EMBED, ToEmbed, outcomes
from facesieve.embed.worker import Plan
from facesieve.erasure.probe import Probe
from facesieve.erasure.probe_vectors import probe_vectors


def test_a_photograph_has_the_vector_that_it_has_in_a_lake(spark: SparkSession, tmp_path: Path) -> None:
    profile = tiny_model.written(tmp_path, Crop(100, 150, 120))
    config = Config(embed=Embed(detector="aligned", faces="largest"))
    contents = [encoded(scene(seed)) for seed in (1, 2)]
    for number, content in enumerate(contents):
        (tmp_path / f"{number}.jpg").write_bytes(content)
    places = tuple(str(tmp_path / f"{number}.jpg") for number in range(2))
    vectors = probe_vectors(spark, Probe(places, 0.5), config, profile)
    rows = [(number, "a", None, len(content), content) for number, content in enumerate(contents)]
    images = ToEmbed(spark.createDataFrame(rows, TO_EMBED))
    embedded = outcomes(images, Plan(profile, config.embed, "m", None)).select("image_id", "vector").collect()
    expected = [row.vector for row in sorted(embedded, key=lambda row: row.image_id)]
    np.testing.assert_allclose(vectors, np.array(expected, np.float32), atol=1e-5)
    (tmp_path / "1.jpg").write_bytes(b"")
    with pytest.raises(ConfigError, match=r"^--probe: file 2 cannot be used \(empty.*\)\. Give a photograph"):
        probe_vectors(spark, Probe(places, 0.5), config, profile)

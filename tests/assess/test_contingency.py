"""Crossing persons and clusters in Spark against the kernel."""

from __future__ import annotations

import numpy as np
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from facesieve.assess.contingency import ComparedFaces, contingency
from facesieve.assess.kernels.agreement import contingency as kernel


def test_counts_equal_the_kernel_for_any_partitioning(spark: SparkSession) -> None:
    rng = np.random.default_rng(5)
    person, cluster = rng.zipf(1.6, 900) % 40, rng.zipf(1.8, 900) % 60
    faces = spark.createDataFrame(
        [(f"p{a}", int(b)) for a, b in zip(person, cluster, strict=True)], "person string, cluster long"
    )
    expected = sorted(zip(*(column.tolist() for column in kernel(person, cluster)), strict=True))
    for laid_out in (faces, faces.repartition(7, F.rand(1))):
        crossed = contingency(ComparedFaces(laid_out))
        assert sorted(tuple(row) for row in crossed.cells.collect()) == expected
    members = [person[cluster == label] for label in np.unique(cluster)]
    shapes = [(len(each), int(np.unique(each, return_counts=True)[1].max())) for each in members]
    times = {(row["size"], row["largest"]): row["times"] for row in crossed.clusters.collect()}
    assert times == {shape: shapes.count(shape) for shape in shapes}

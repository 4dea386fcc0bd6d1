"""Which faces are reopened (the whole join is tested with the step)."""

from __future__ import annotations

import numpy as np
import pytest
from pyspark.sql import SparkSession

from facesieve.core.tables import EDGES, Edges
from facesieve.link.incremental_join import _reopened


@pytest.mark.parametrize(("most", "reopened"), [(0, []), (2, [2, 3]), (3, [2]), (4, [])])
def test_neighbours_of_the_gone_with_as_many_edges_as_the_cap_are_reopened(
    spark: SparkSession, most: int, reopened: list[int]
) -> None:
    """Face 1 goes. Of its neighbours 2 has three edges, 3 has two and 4 has one; 5 loses no edge."""
    pairs = [(1, 2), (1, 3), (1, 4), (2, 3), (2, 5), (5, 6), (5, 7)]
    rows = [("global", src, dst, 0.7, None) for src, dst in pairs] + [("identity", 4, 8, 0.7, True)]
    edges = Edges(spark.createDataFrame(rows, EDGES.columns))
    assert _reopened(edges, np.array([1]), most).tolist() == reopened
    assert _reopened(edges, np.zeros(0, np.int64), most).tolist() == []

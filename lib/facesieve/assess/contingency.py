"""How two groupings of the same faces cross, as counts of counts: a few rows, whatever the number of faces."""

from __future__ import annotations

from typing import NamedTuple, NewType

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

ComparedFaces = NewType("ComparedFaces", DataFrame)
"""Columns person and cluster, of any type and never null: one row per face."""


class Crossed(NamedTuple):
    """`cells`: both, of_person, of_cluster, times, as `kernels.agreement.Cells`; `clusters`: size, largest, times.

    All bigint. `times` clusters hold `size` faces, `largest` of them of one person.
    """

    cells: DataFrame
    clusters: DataFrame


def contingency(compared: ComparedFaces) -> Crossed:
    """Cross the persons and the clusters of faces.

    Faces are counted by person and cluster first, so that a task meets a cluster as its cells, never as its faces.
    """
    both = F.sum("both")
    cells = compared.groupBy("person", "cluster").agg(F.count("*").alias("both"))
    sized = cells.select(
        "cluster",
        "both",
        both.over(Window.partitionBy("person")).alias("of_person"),
        both.over(Window.partitionBy("cluster")).alias("of_cluster"),
    )
    clusters = sized.groupBy("cluster").agg(F.max("of_cluster").alias("size"), F.max("both").alias("largest"))
    times = F.count("*").alias("times")
    return Crossed(
        sized.groupBy("both", "of_person", "of_cluster").agg(times), clusters.groupBy("size", "largest").agg(times)
    )

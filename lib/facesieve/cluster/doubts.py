"""Clusters that a person should look at before others, because the coins or the cosines speak against them.

Example, with a link cosine of 0.5:

    cluster face stability cohesion attached       place in the queue
          1    1       1.0      0.8    false       cluster 1: none, every coin agrees
          1    2       1.0      0.8    false
          3    3       1.0      0.7    false       cluster 3: second, mean stability 0.95
          3    4       0.9      0.7    false
          5    5       1.0      0.6    false       cluster 5: first, mean stability 0.75: of low stability
          5    6       0.5      0.6    false
          5    7       0.0      0.6     true       joined after the vote, so it does not count
          8    8       1.0      0.4    false       cluster 8: third, of low cohesion
          8    9       1.0      0.4    false
"""

from __future__ import annotations

from typing import NamedTuple

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.core.tables import Clusters
from facesieve.lake.scope_records import DoubtfulCluster

STABLE = 0.9
"""Mean stability of a cluster's faces under which the cluster counts as unstable."""
QUEUE = 10
"""Clusters of a scope that are named as the first ones to look at."""


class Doubts(NamedTuple):
    """Clusters of one scope that are of low stability, and of low cohesion; the first ones to look at, in order.

    clusters, largest, faces: how many clusters there are, the faces of the largest, all faces.
    """

    unstable: int
    loose: int
    look_first: tuple[DoubtfulCluster, ...]
    clusters: int
    largest: int
    faces: int


def doubts(clusters: Clusters, link: float) -> Doubts:
    """Count the doubtful clusters of one scope, and find the first ones to look at.

    Low stability: the mean over the faces that voted is below STABLE. Low cohesion: below the cosine `link`, so that
    the faces are not even linked to their medoid on the whole. The queue holds the clusters in which some coin saw a
    face elsewhere, and those of low cohesion: the least stable first, among equals the least cohesive.
    """
    means = _means(clusters)
    unstable, loose = F.col("stability") < STABLE, F.col("cohesion") < F.lit(link)
    queued = (F.col("stability") < 1) | loose
    doubtful = (F.count_if(each) for each in (unstable, loose, queued))
    counts = means.agg(*doubtful, F.count("*"), F.max("faces"), F.sum("faces")).collect()[0]
    first = _first(means.where(queued)) if counts[2] else ()
    return Doubts(counts[0], counts[1], first, *(number or 0 for number in counts[3:]))


def _means(clusters: Clusters) -> DataFrame:
    voted = F.avg(F.when(~F.col("attached"), F.col("stability").cast("double")))
    faces, cohesion = F.count("*").alias("faces"), F.first("cohesion").cast("double").alias("cohesion")
    return clusters.groupBy("cluster_id").agg(faces, voted.alias("stability"), cohesion)


def _first(means: DataFrame) -> tuple[DoubtfulCluster, ...]:
    rows = means.orderBy("stability", "cohesion", "cluster_id").limit(QUEUE).collect()
    return tuple(DoubtfulCluster(**row.asDict()) for row in rows)

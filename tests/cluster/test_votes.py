from __future__ import annotations

import numpy as np
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from facesieve.cluster.votes import by_cosine, vote_integer, votes
from facesieve.core.tables import EDGES, VOTES, Edges

COSINES = np.array([1.0, 0.5, 0.7071068, 2.0**-20, 2.0**-21, 0.0, -0.25], dtype=np.float32)


def test_cosine_votes_by_its_integer(spark: SparkSession) -> None:
    rows = [("global", 1, 10 + number, float(cosine), None) for number, cosine in enumerate(COSINES)]
    found = votes(by_cosine(Edges(spark.createDataFrame(rows, EDGES.columns))))
    assert found.schema.names == VOTES.columns.names
    spoken = found.select("score", "votes", vote_integer(F.col("score"))).orderBy("dst").collect()
    assert [row[0] for row in spoken] == COSINES.tolist()
    assert [row[1] for row in spoken] == [True, True, True, True, False, False, False]
    assert [row[2] for row in spoken] == np.floor(COSINES.astype(np.float64) * 2**20).astype(int).tolist()

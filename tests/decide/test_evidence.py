"""The greatest cosine to other people, over the edges."""

from __future__ import annotations

import numpy as np
from pyspark.sql import SparkSession

from facesieve.core.tables import EDGES, Edges
from facesieve.decide.evidence import MARGINS, SPEAKERS, Speakers, nearest_of_others


def test_within_a_folder_only_who_has_left_it_is_among_others(spark: SparkSession) -> None:
    """Faces 1 and 2 are ann, 3 has moved from ann to bob, 4 is bob; 5 is offered by nobody."""
    rows = [
        ("global", 1, 2, 0.875, True),
        ("global", 2, 3, 0.75, True),
        ("global", 1, 4, 0.5, False),
        ("global", 3, 4, 0.625, None),
        ("global", 1, 5, 0.96875, False),
        ("identity", 1, 3, 0.9375, True),
    ]
    edges = Edges(spark.createDataFrame(rows, EDGES.columns))
    people = [(1, "ann", False), (2, "ann", False), (3, "bob", True), (4, "bob", False)]
    speakers = Speakers(spark.createDataFrame(people, SPEAKERS))
    margins = nearest_of_others(edges, speakers, speakers)
    assert [(field.name, field.dataType) for field in margins.schema] == [(f.name, f.dataType) for f in MARGINS]
    cosines = {row.face_id: row.other_cosine for row in margins.collect()}
    assert cosines == {1: np.float32(0.5), 2: np.float32(0.75), 3: np.float32(0.75), 4: np.float32(0.5)}

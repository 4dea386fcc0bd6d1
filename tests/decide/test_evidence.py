"""The greatest cosine to other people, over the edges."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from pyspark.sql import SparkSession
from pyspark.sql import types as T
from pyspark.sql.pandas.types import to_arrow_schema

from facesieve.core import frames
from facesieve.core.tables import EDGES, Edges
from facesieve.decide.evidence import MARGINS, SPEAKERS, SPEAKING, Speakers, Terms, _speaking, nearest_of_others
from facesieve.decide.keep_policy import FOLDER_FACES


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


def test_the_share_of_the_core_in_which_faces_were_left_out() -> None:
    """Of four images that count in ann's main cluster, faces were left out in one; the outlier counts not."""
    faces = [(1, True, True), (2, True, False), (3, True, False), (4, True, False), (5, False, True)]
    columns = T.StructType([*FOLDER_FACES, *frames.columns("may_keep boolean, vector array<float>")])
    rows = [
        dict.fromkeys(columns.names)
        | {"identity": "ann", "image_id": face, "face_id": face, "face_rank": 0, "cluster_id": 1 if main else 2}
        | {"main": main, "mode": main, "counted": True, "may_keep": main, "left_out": left_out}
        | {"vector": [1.0, float(not main)]}
        for face, main, left_out in faces
    ]
    table = pa.Table.from_pylist(rows, schema=to_arrow_schema(columns))
    spoken = _speaking(table, Terms(None, 1.0, near_only=False))
    assert spoken.column_names == SPEAKING.names
    assert spoken["core_left_out"].to_pylist() == [0.25] * 5

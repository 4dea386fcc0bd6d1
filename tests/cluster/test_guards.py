"""What GraphFrames does not check is refused before a graph is made."""

from __future__ import annotations

import pytest
from deciding import rows_of
from pyspark.sql import SparkSession

from facesieve.cluster.frames import VOTERS, Voters
from facesieve.cluster.guards import refuse_doubled, refuse_strays
from facesieve.core.errors import ContractError
from facesieve.core.frames import columns
from facesieve.core.tables import EDGES, Edges
from facesieve.faces.blocks import ListedFaces


def test_a_face_that_stands_twice_is_refused(spark: SparkSession) -> None:
    def voters(*faces: int) -> Voters:
        return Voters(rows_of(spark, VOTERS, [{"face_id": face, "vector": [1.0], "label": face} for face in faces]))

    refuse_doubled("global", voters(1, 2, 3))
    with pytest.raises(ContractError, match=r"cluster global: 2 faces stand more than once .*face_id 2"):
        refuse_doubled("global", voters(1, 2, 2, 3, 3, 3))


def test_an_edge_that_names_a_face_without_a_row_is_refused(spark: SparkSession) -> None:
    faces = ListedFaces(rows_of(spark, columns("face_id bigint"), [{"face_id": face} for face in (1, 2, 3)]))

    def edges(*pairs: tuple[int, int]) -> Edges:
        return Edges(rows_of(spark, EDGES.columns, [{"scope": "global", "src": a, "dst": b} for a, b in pairs]))

    refuse_strays(edges((1, 2), (2, 3)), faces)
    refuse_strays(edges(), faces)
    with pytest.raises(ContractError, match=r"edges: 2 ends of edges name a face without a row .*face_id 0"):
        refuse_strays(edges((1, 2), (0, 2), (3, 4)), faces)

"""Routed blocks hold each face with its cells, and are read back as members."""

from __future__ import annotations

import numpy as np
import oracle
import pytest
from pyspark.sql import SparkSession

from facesieve.faces.blocks import Faces, face_blocks
from facesieve.faces.vectors import short_unit
from facesieve.link.kernels.voronoi import NO_MARGIN, route
from facesieve.link.routing import ONE_CELL, ROUTED_BLOCKS, Routing, cells_of, members_in, routed


@pytest.fixture(scope="module")
def faces() -> oracle.Crowd:
    return oracle.crowd(12, 5, seed=2)


def test_without_pivots_all_faces_are_in_one_cell(faces: oracle.Crowd) -> None:
    assert cells_of(Faces(faces.ids, faces.codes, faces.halves), ONE_CELL).tolist() == [[0]] * len(faces.ids)


def test_members_are_the_faces_with_their_cells_or_their_identity(spark: SparkSession, faces: oracle.Crowd) -> None:
    pivots = short_unit(faces.halves[:7])
    rows = routed(face_blocks(oracle.frame(spark, faces, 3)), Routing(pivots, 3, NO_MARGIN))
    assert rows.schema == ROUTED_BLOCKS
    collected = [row.asDict() for row in rows.collect()]
    assert sum(row["faces"] for row in collected) == len(faces.ids)
    members = members_in(collected, "global")
    order = np.argsort(members.ids)
    expected = np.argsort(faces.ids)
    assert members.ids[order].tolist() == faces.ids[expected].tolist()
    assert members.probes[order].tolist() == route(faces.halves[expected], pivots, 3, NO_MARGIN).tolist()
    assert members.vectors[order].tobytes() == faces.halves[expected].tobytes()
    named = members_in(collected, "identity")
    assert sorted(named.ids.tolist()) == sorted(faces.ids[faces.codes != 0].tolist())
    assert named.probes.tolist() == named.codes[:, None].tolist()


@pytest.mark.parametrize("scope", ["global", "identity"])
def test_no_rows_are_no_members(scope: str) -> None:
    nobody = members_in([], scope)
    assert (len(nobody.ids), nobody.probes.shape, nobody.vectors.shape) == (0, (0, 1), (0, 0))

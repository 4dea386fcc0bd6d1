"""Suspects of another folder: who they are, what they are compared with, how sure a flip is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from deciding import Photo, inputs, photos_of, rows_of
from pyspark.sql import SparkSession

from facesieve.core.sections import Decide
from facesieve.decide.cluster_owners import OWNERS, ClusterOwners
from facesieve.decide.evidence import SPEAKING, SpeakingFaces
from facesieve.decide.flips import SUSPECTS, flips
from facesieve.decide.inputs import Basis
from facesieve.decide.kernels.membership import Scale

ANN, BOB = photos_of("ann", 3, (1.0, 0.0), 3), photos_of("bob", 3, (0.0, 1.0), 7)
CLEAR, DECIDED, ELSEWHERE = (photos_of(f"ann-{name}", 1, (0.28, 0.96), 7)[0] for name in ("clear", "decided", "away"))
ELSEWHERE = replace(ELSEWHERE, faces=(replace(ELSEWHERE.faces[0], in_global=8),))
EVERY = [*ANN, *BOB, CLEAR, DECIDED, ELSEWHERE]


def speaking(photo: Photo) -> dict[str, object]:
    core = photo in ANN or photo in BOB
    home = 3 if photo.uri.startswith("ann") else 7
    row: dict[str, object] = {
        "face_id": photo.face_id(photo.faces[0]),
        "identity": "ann" if home == 3 else "bob",
        "main_global": home,
    }
    row |= {"in_global": photo.faces[0].in_global, "main": core, "counted": core, "in_main_global": core}
    return row | {"undecided": photo is not DECIDED}


def test_an_undecided_face_in_another_folders_main_cluster_is_compared_with_its_core(spark: SparkSession) -> None:
    faces = SpeakingFaces(rows_of(spark, SPEAKING, [speaking(photo) for photo in EVERY]))
    owners = ClusterOwners(spark.createDataFrame([(3, "ann", 3), (7, "bob", 3)], OWNERS))
    ends = sorted(photo.face_id(photo.faces[0]) for photo in (CLEAR, ANN[0]))
    edges = [("global", *ends, 0.25, True), ("identity", *ends, 0.125, True)]
    tables = inputs(spark, EVERY, edges=edges)
    suspects = flips(faces, owners, tables, Basis(Decide(min_faces=3), "both", Scale(0.0, 0.125, 0.5)))
    assert [(field.name, field.dataType) for field in suspects.schema] == [(f.name, f.dataType) for f in SUSPECTS]
    (row,) = suspects.collect()
    assert (row.face_id, row.target) == (CLEAR.face_id(CLEAR.faces[0]), "bob")
    assert row.target_face == min(photo.face_id(photo.faces[0]) for photo in BOB)
    assert (row.target_cosine, row.target_other_cosine) == (pytest.approx(0.96, abs=1e-3), np.float32(0.25))
    assert row.target_membership == pytest.approx(0.96 * 0.5 / 0.125, abs=1e-2)
    assert flips(faces, owners, tables, Basis(Decide(min_faces=4), "both")).count() == 0

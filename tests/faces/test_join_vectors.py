"""Vectors join faces by id, whichever side is sent."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from facesieve.core import frames
from facesieve.core.tables import Embeddings
from facesieve.faces.join_vectors import vectors_of, vectors_of_few


@pytest.mark.parametrize("rows", [0, 2_000_000])
def test_faces_get_their_vectors(spark: SparkSession, monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    monkeypatch.setattr(frames, "BROADCAST_ROWS", rows)
    stored = [(face, [float(face)]) for face in range(5)]
    embeddings = Embeddings(spark.createDataFrame(stored, "face_id bigint, vector array<float>"))
    faces = spark.createDataFrame([(3, "Ann"), (3, "Bob"), (9, "Cem")], "face_id bigint, name string")
    both = {("Ann", 3, (3.0,)), ("Bob", 3, (3.0,))}
    few = {(row.name, row.face_id, tuple(row.vector)) for row in vectors_of_few(faces, embeddings).collect()}
    every = {
        (row.name, row.face_id, row.vector and tuple(row.vector)) for row in vectors_of(faces, embeddings).collect()
    }
    assert (few, every) == (both, both | {("Cem", 9, None)})

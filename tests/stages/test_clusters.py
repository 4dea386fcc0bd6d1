from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import SparkSession

from facesieve import config
from facesieve.kernels.agreement import bcubed
from facesieve.kernels.cohesion import cohesion
from facesieve.kernels.vectors import hits
from facesieve.kernels.whispers import Coin, split, whispers
from facesieve.stages.clusters import Clustered, clusters
from facesieve.tables import CLUSTERS, VOTES, Votes
from factories import faces as synthetic

Faces = tuple[np.ndarray, np.ndarray]
Pairs = tuple[np.ndarray, np.ndarray, np.ndarray]


def linked(faces: Faces, link: float) -> Pairs:
    """All pairs at or above `link`, as src < dst and cosine."""
    ids, vectors = faces
    rows = vectors.astype(np.float16)
    one, other, cosines = hits(rows, rows, link)
    kept = ids[one] < ids[other]
    return ids[one][kept], ids[other][kept], cosines[kept]


def expected(faces: Faces, pairs: Pairs) -> dict[int, tuple]:
    ids, vectors = faces
    src, dst, cosines = pairs
    votes = np.floor(cosines.astype(np.float64) * 2**20).astype(np.int64)
    labels = whispers(ids, src, dst, votes, Coin(0.75, 0), 500).labels
    names = split(ids, labels, src, dst)
    rows = {}
    for name in np.unique(names):
        members = np.flatnonzero(names == name)
        medoid, mean = cohesion(ids[members], vectors[members])
        for row, member in enumerate(members):
            tail = (len(members), float(np.float32(mean)), row == medoid)
            rows[int(ids[member])] = ("heap", int(ids[member]), int(name), *tail, True, False)
    return rows


def run(spark: SparkSession, faces: Faces, pairs: Pairs, partitions: int) -> Clustered:
    order = np.random.default_rng(partitions).permutation(len(pairs[0]))
    rows = [("heap", *row, True) for row in zip(*(column[order].tolist() for column in pairs), strict=True)]
    given = [(face, vector) for face, vector in zip(faces[0].tolist(), faces[1].tolist(), strict=True)]
    vectors = spark.createDataFrame(given, "face_id long, vector array<float>").repartition(partitions)
    votes = Votes(spark.createDataFrame(rows, VOTES.columns).repartition(partitions))
    return clusters(vectors, votes, "heap", config.Cluster(), lambda *_: None)


def test_equals_the_kernels(spark: SparkSession) -> None:
    ids, _, vectors = synthetic(25, 8, seed=5)
    pairs = linked((ids, vectors), 0.72)
    found = run(spark, (ids, vectors), pairs, 7)
    assert found.settled
    assert found.clusters.schema.names == CLUSTERS.columns.names
    rows = found.clusters.collect()
    assert len(rows) == len(ids)
    assert {row["face_id"]: tuple(row) for row in rows} == expected((ids, vectors), pairs)


def test_an_edge_that_does_not_vote_joins_nobody(spark: SparkSession) -> None:
    vectors = [(1, [1.0, 0.0]), (2, [0.8, 0.6]), (3, [0.0, 1.0])]
    faces = spark.createDataFrame(vectors, "face_id long, vector array<float>")
    votes = spark.createDataFrame([("heap", 1, 2, 0.8, True), ("heap", 2, 3, 0.6, False)], VOTES.columns)
    found = clusters(faces, Votes(votes), "heap", config.Cluster(), lambda *_: None)
    rows = {row["face_id"]: row for row in found.clusters.collect()}
    assert [rows[face]["cluster_id"] for face in (1, 2, 3)] == [1, 1, 3]
    assert [rows[face]["cluster_size"] for face in (1, 2, 3)] == [2, 2, 1]
    assert [rows[face]["cohesion"] for face in (1, 2, 3)] == pytest.approx([0.8, 0.8, 1.0], abs=1e-3)


def test_real_faces(spark: SparkSession, data: Path) -> None:
    stored = np.load(data / "lfw" / "embeddings.npz")
    chosen = np.flatnonzero(np.bincount(stored["labels"])[stored["labels"]] >= 10)[:2_000]
    ids = np.random.default_rng(0).permutation(10 * len(chosen))[: len(chosen)]
    faces = (ids, stored["embeddings"][chosen])
    pairs = linked(faces, 0.5)
    rows = run(spark, faces, pairs, 2).clusters.collect()
    assert {row["face_id"]: tuple(row) for row in rows} == expected(faces, pairs)
    name = {row["face_id"]: row["cluster_id"] for row in rows}
    assert bcubed(stored["labels"][chosen], np.array([name[face] for face in ids.tolist()])).f > 0.97

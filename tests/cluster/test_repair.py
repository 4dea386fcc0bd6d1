from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from graphs import Graph, graph
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from facesieve.cluster.constraints import NONE, Constraints, contracted, violations, with_vertex
from facesieve.cluster.frames import (
    PHOTOS,
    VERTEX_CLUSTERS,
    VOTING_EDGES,
    ClusteredFaces,
    Photos,
    VertexClusters,
    VotingEdges,
)
from facesieve.cluster.kernels.constraints import VotingEdges as Edges
from facesieve.cluster.kernels.constraints import repaired as by_kernel
from facesieve.cluster.kernels.whispers import Coin, split, whispers
from facesieve.cluster.repair import repaired

SHAPES = [nx.gnm_random_graph(40, 300, seed=1), nx.path_graph(30), nx.barbell_graph(9, 0), nx.complete_graph(12)]
MADE = graph(nx.disjoint_union_all([*SHAPES, nx.empty_graph(3), nx.complete_graph(5)]), seed=7, most=4)
CLUSTERS = split(MADE.ids, np.zeros_like(MADE.ids), MADE.src, MADE.dst)
LINKS = np.array([[0, 5], [40, 69], [41, 50], [70, 87]])
PHOTOGRAPHED = np.array([*range(30, 60), *range(88, 94)])


def constrained(spark: SparkSession) -> Constraints:
    """Links between faces, photographs of five faces that touch three clusters, and a photograph over two of them."""
    photos = list(zip(MADE.ids[PHOTOGRAPHED].tolist(), (np.arange(len(PHOTOGRAPHED)) // 5).tolist(), strict=True))
    none = np.empty((0, 2), dtype=np.int64)
    pairs = np.sort(MADE.ids[LINKS], axis=1)
    frame = spark.createDataFrame(photos, PHOTOS)
    return Constraints(none, pairs, np.empty(0, dtype=np.bool_), Photos(frame))


def expected() -> dict[int, int]:
    members = np.concatenate([MADE.ids[LINKS].ravel(), MADE.ids[PHOTOGRAPHED]])
    groups = np.concatenate([np.repeat(np.arange(len(LINKS)), 2), 100 + np.arange(len(PHOTOGRAPHED)) // 5])
    named: dict[int, int] = {}
    for cluster in np.unique(CLUSTERS):
        ids = MADE.ids[cluster == CLUSTERS]
        edge, row = np.isin(MADE.src, ids), np.isin(members, ids)
        voting = Edges(MADE.src[edge], MADE.dst[edge], MADE.votes[edge])
        named.update(zip(ids.tolist(), by_kernel(ids, voting, members[row], groups[row]).tolist(), strict=True))
    return named


def frames(
    spark: SparkSession, sample: Graph, clusters: np.ndarray, partitions: int
) -> tuple[VertexClusters, VotingEdges]:
    rows = list(zip(sample.ids.tolist(), clusters.tolist(), strict=True))
    edges = list(zip(sample.src.tolist(), sample.dst.tolist(), sample.votes.tolist(), strict=True))
    return (
        VertexClusters(spark.createDataFrame(rows, VERTEX_CLUSTERS).repartition(partitions)),
        VotingEdges(spark.createDataFrame(edges, VOTING_EDGES).repartition(partitions)),
    )


@pytest.mark.parametrize("partitions", [1, 2, 7])
def test_equals_the_kernel_in_every_cluster(spark: SparkSession, partitions: int) -> None:
    result = repaired(*frames(spark, MADE, CLUSTERS, partitions), constrained(spark)).collect()
    assert dict(map(tuple, result)) == expected()
    assert len(result) == len(MADE.ids)


def test_other_edges_and_other_names_are_left_alone(spark: SparkSession) -> None:
    """A strong edge between two cut clusters joins nothing; one without a conflict keeps its name, whichever it is."""
    sample = graph(nx.disjoint_union_all([nx.complete_graph(4)] * 3), seed=1)
    clusters = np.repeat([sample.ids[part : part + 4].max() for part in (0, 4, 8)], 4)
    pairs = np.sort(sample.ids[[[0, 1], [4, 5]]], axis=1)
    bridge = np.sort(sample.ids[[2, 6]])
    src, dst = np.append(sample.src, bridge[0]), np.append(sample.dst, bridge[1])
    constraints = Constraints(pairs[:0], pairs, np.empty(0, dtype=np.bool_))
    bridged = Graph(sample.ids, src, dst, np.append(sample.votes, 9))
    result = dict(map(tuple, repaired(*frames(spark, bridged, clusters, 2), constraints).collect()))
    assert {result[face] for face in sample.ids[8:].tolist()} == {int(clusters[8])}
    members, groups = pairs.ravel(), np.array([0, 0, 1, 1])
    apart = by_kernel(sample.ids, Edges(sample.src, sample.dst, sample.votes), members, groups)[:8].tolist()
    assert [result[face] for face in sample.ids[:8].tolist()] == apart
    assert len(set(apart)) == 4


def test_without_a_conflict_the_clusters_are_returned(spark: SparkSession) -> None:
    clusters, edges = frames(spark, MADE, CLUSTERS, 2)
    pair = np.sort(MADE.ids[[[0, 100]]], axis=1)
    apart = Constraints(pair[:0], pair, np.empty(0, dtype=np.bool_))
    poisoned = VotingEdges(edges.withColumn("vote", F.raise_error(F.lit("read")).cast("long")))
    expected_rows = sorted(map(tuple, clusters.collect()))
    for constraints in (NONE, apart):
        assert sorted(map(tuple, repaired(clusters, poisoned, constraints).collect())) == expected_rows


def test_must_and_cannot_hold_from_vote_to_clusters(spark: SparkSession) -> None:
    """Contract, vote, split, repair, expand: must-linked faces of three clusters end in one, rivals never."""
    base = constrained(spark)
    must = np.sort(MADE.ids[[[1, 60], [60, 20], [95, 96], [33, 34], [10, 64]]], axis=1)
    constraints = Constraints(must, base.cannot, np.ones(len(must), dtype=np.bool_))
    _, edges = frames(spark, MADE, CLUSTERS, 2)
    faces = spark.createDataFrame([(face,) for face in MADE.ids.tolist()], "face_id long")
    expanded = with_vertex(faces, constraints).persist()
    ids = np.array([row["face_id"] for row in expanded.where("vertex = face_id").collect()])
    src, dst, votes = np.array(contracted(edges, constraints).collect(), np.int64).T
    labels = split(ids, whispers(ids, src, dst, votes, Coin(0.75, 0), 500).labels, src, dst)
    clusters, edges = frames(spark, Graph(ids, src, dst, votes), labels, 2)
    before, after = (
        violations(ClusteredFaces(expanded.join(each.toDF("vertex", "cluster_id"), "vertex", how="inner")), constraints)
        for each in (clusters, repaired(clusters, edges, constraints))
    )
    assert before > 0
    assert after == 0

from __future__ import annotations

import itertools
from collections import Counter

import networkx as nx
import numpy as np
import pytest
from graphs import Graph, graph
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from facesieve.cluster.constraints import NONE, Constraints, conflicts, contracted, forbidden, violations, with_vertex
from facesieve.cluster.frames import (
    PHOTOS,
    VERTEX_CLUSTERS,
    VOTING_EDGES,
    ClusteredFaces,
    MeasuredFaces,
    Photos,
    VertexClusters,
    VotingEdges,
)
from facesieve.cluster.kernels.constraints import components

MADE = graph(nx.gnm_random_graph(60, 400, seed=2), seed=2, most=5)


def array(pairs: list[tuple[int, int]]) -> np.ndarray:
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def pairs(sample: Graph, many: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.sort(np.array([rng.choice(sample.ids, 2, replace=False) for _ in range(many)]), axis=1)


def photographed(spark: SparkSession, faces: list[int], photos: list[int]) -> Photos:
    return Photos(spark.createDataFrame(list(zip(faces, photos, strict=True)), PHOTOS))


def constraints(must: np.ndarray, cannot: np.ndarray, photos: Photos | None = None) -> Constraints:
    return Constraints(must, cannot, np.ones(len(must), dtype=np.bool_), photos)


def broken(spark: SparkSession) -> DataFrame:
    """Rows that cannot be computed: what passes them on has read nothing."""
    columns = ("face_id", "vertex", "cluster_id", "cluster_size", "src", "dst", "vote", "id", "cluster")
    return spark.range(1).select(*(F.raise_error(F.lit("read")).cast("long").alias(name) for name in columns))


@pytest.mark.parametrize("partitions", [1, 2, 7])
def test_contracted_sums_votes_between_vertices(spark: SparkSession, partitions: int) -> None:
    must = pairs(MADE, 25, seed=5)
    vertex_of = dict(zip(*(each.tolist() for each in components(must)), strict=True))
    expected: Counter[tuple[int, int]] = Counter()
    edges = list(zip(MADE.src.tolist(), MADE.dst.tolist(), MADE.votes.tolist(), strict=True))
    for src, dst, vote in edges:
        first, second = sorted((vertex_of.get(src, src), vertex_of.get(dst, dst)))
        if first != second:
            expected[first, second] += vote
    frame = spark.createDataFrame(edges, VOTING_EDGES).repartition(partitions)
    result = contracted(VotingEdges(frame), constraints(must, array([]))).collect()
    assert sorted(map(tuple, result)) == sorted((*pair, vote) for pair, vote in expected.items())


def test_vertices_name_what_each_face_is_part_of(spark: SparkSession) -> None:
    faces = spark.createDataFrame([(5, "e"), (-3, "c"), (9, "i"), (1, "a")], "face_id long, other string")
    result = with_vertex(faces, constraints(array([(5, 9), (9, -3)]), array([])))
    assert result.columns == ["face_id", "other", "vertex"]
    assert sorted(map(tuple, result.collect())) == [(-3, "c", -3), (1, "a", 1), (5, "e", -3), (9, "i", -3)]
    assert result.where("vertex = face_id").count() == 2


def test_conflicts_are_the_groups_with_two_members_in_one_cluster(spark: SparkSession) -> None:
    """Faces 1 and 2 are one vertex; photographs have the numbers of links, and are not taken for them."""
    limits = constraints(
        array([(1, 2)]),
        array([(2, 3), (3, 6), (4, 5)]),
        photographed(spark, [1, 2, 3, 4, 5, 6, 7, 8, 9], [50, 0, 0, 0, 8, 8, 9, 9, 1]),
    )
    rows = [(1, 1), (3, 1), (4, 1), (9, 1), (5, 5), (6, 5), (7, 7), (8, 8)]
    clusters = VertexClusters(spark.createDataFrame(rows, VERTEX_CLUSTERS))
    result = [(row["cluster"], row["id"], row["photo"], row["group"]) for row in conflicts(clusters, limits).collect()]
    links = [(1, 1, False, 0), (1, 3, False, 0)]
    photos = [(1, 1, True, 0), (1, 3, True, 0), (1, 4, True, 0), (5, 5, True, 8), (5, 6, True, 8)]
    assert sorted(result) == sorted(links + photos)


@pytest.mark.parametrize("partitions", [1, 7])
def test_violations_and_forbidden_against_all_pairs(spark: SparkSession, partitions: int) -> None:
    rng = np.random.default_rng(6)
    faces = MADE.ids.tolist()
    cluster_of = dict(zip(faces, (900 + rng.integers(0, 14, len(faces))).tolist(), strict=True))
    photo_of = dict(zip(faces, rng.integers(0, 25, len(faces)).tolist(), strict=True))
    must, cannot = pairs(MADE, 8, seed=1), pairs(MADE, 30, seed=2)
    sizes = Counter(cluster_of.values())
    rows = [(face, cluster, sizes[cluster]) for face, cluster in cluster_of.items()]
    schema = "face_id long, cluster_id long, cluster_size long"
    frame = spark.createDataFrame(rows, schema).repartition(partitions)
    clusters, measured = ClusteredFaces(frame), MeasuredFaces(frame)
    limits = constraints(must, cannot, photographed(spark, [*faces, 12345], [*photo_of.values(), 3]))
    of_one_photo = [pair for pair in itertools.combinations(faces, 2) if photo_of[pair[0]] == photo_of[pair[1]]]
    apart = [*map(tuple, cannot.tolist()), *of_one_photo]
    torn = sum(cluster_of[a] != cluster_of[b] for a, b in must.tolist())
    assert violations(clusters, limits) == torn + sum(cluster_of[a] == cluster_of[b] for a, b in apart)
    ends = {tuple(sorted((cluster_of[a], cluster_of[b]))) for a, b in apart}
    expected = sorted(pair for pair in ends if pair[0] != pair[1] and min(sizes[c] for c in pair) < 4)
    result = forbidden(measured, limits, small_below=4)
    assert result.dtype == np.int64
    assert result.tolist() == list(map(list, expected))
    assert len(expected) < len(ends)


def test_faces_without_a_cluster_violate_nothing(spark: SparkSession) -> None:
    frame = spark.createDataFrame([(1, 1, 1)], "face_id long, cluster_id long, cluster_size long")
    limits = constraints(array([(1, 2)]), array([(1, 3), (3, 4)]))
    assert violations(ClusteredFaces(frame), limits) == 0
    assert forbidden(MeasuredFaces(frame), limits, 10).shape == (0, 2)


def test_no_constraints_cost_nothing(spark: SparkSession) -> None:
    rows = broken(spark)
    assert contracted(VotingEdges(rows), NONE).columns == VOTING_EDGES.names
    assert violations(ClusteredFaces(rows), NONE) == 0
    assert forbidden(MeasuredFaces(rows), NONE, 10).shape == (0, 2)


def test_within_folders_keeps_must_links_of_one_identity(spark: SparkSession) -> None:
    both = Constraints(array([(1, 2), (3, 4)]), array([(5, 6)]), np.array([False, True]))
    inside = both.within_folders()
    assert inside.must.tolist() == [[3, 4]]
    assert inside.in_folder.tolist() == [True]
    assert inside.cannot.tolist() == [[5, 6]]
    assert inside.components[0].tolist() == [3, 4]

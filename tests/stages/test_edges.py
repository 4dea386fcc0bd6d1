"""Edges on Spark against brute force."""

from __future__ import annotations

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession

from facesieve.errors import ContractError
from facesieve.kernels.vectors import BLOCK, half_unit, hits
from facesieve.stages.edges import comparisons, edges, plan
from factories import faces as synthetic

LINK = 0.6
FACES = "face_id bigint, identity string, vector array<float>"
PEOPLE, PER_PERSON = 60, 9


@pytest.fixture(scope="module")
def people() -> tuple:
    """Faces of 60 people; some faces bear no identity, some another's, and one vector comes three times."""
    ids, identities, vectors = synthetic(PEOPLE, PER_PERSON, seed=3)
    names: list[str | None] = [None if k % 10 == 0 else name for k, name in enumerate(identities)]
    names[1:20:6] = ["somebody else"] * 4
    vectors[[5, 6]] = vectors[4]
    return ids, names, vectors


def frame(spark: SparkSession, faces: tuple, partitions: int = 2, seed: int = 0) -> DataFrame:
    ids, names, vectors = faces
    order = np.random.default_rng(seed).permutation(len(ids))
    rows = [(int(ids[k]), names[k], vectors[k].tolist()) for k in order]
    return spark.createDataFrame(rows, FACES).repartition(partitions)


def brute(faces: tuple) -> set[tuple]:
    """All (src, dst, cosine, same_identity) at or above the link, from one block product over everything."""
    ids, names, vectors = faces
    unit = half_unit(vectors)
    i, j, cosines = hits(unit, unit, LINK)
    return {
        (int(ids[a]), int(ids[b]), float(c), names[a] is not None and names[a] == names[b])
        for a, b, c in zip(i, j, cosines, strict=True)
        if ids[a] < ids[b]
    }


def collected(found: DataFrame) -> set[tuple]:
    rows = [(row.src, row.dst, row.cosine, row.same_identity) for row in found.collect()]
    assert len({row[:2] for row in rows}) == len(rows), "a pair came twice"
    return set(rows)


def test_exact_equals_brute_force(spark, people):
    found = frame(spark, people)
    asked = plan(found, "heap", LINK, "exact")
    assert asked.pivots is None
    assert collected(edges(found, asked)) == brute(people)


def test_identity_scope_holds_the_pairs_of_one_identity_and_no_other(spark, people):
    found = frame(spark, people)
    asked = plan(found, "identity", LINK, "voronoi")
    inside = edges(found, asked)
    assert inside.columns == ["scope", "src", "dst", "cosine", "same_identity"]
    assert {row.scope for row in inside.select("scope").distinct().collect()} == {"identity"}
    assert collected(inside) == {row for row in brute(people) if row[3]}


@pytest.mark.parametrize("scope", ["heap", "identity"])
def test_the_same_for_any_partitioning_order_and_adaptive_execution(spark, people, scope):
    results = set()
    for partitions, adaptive in ((1, "true"), (2, "false"), (7, "true")):
        spark.conf.set("spark.sql.adaptive.enabled", adaptive)
        found = frame(spark, people, partitions, seed=partitions)
        asked = plan(found, scope, LINK, "voronoi")
        results.add(frozenset(collected(edges(found, asked))))
    spark.conf.set("spark.sql.adaptive.enabled", "true")
    assert len(results) == 1
    truth = brute(people)
    assert results.pop() <= truth


def test_voronoi_finds_most_edges_of_separate_people(spark, people):
    found = frame(spark, people)
    asked = plan(found, "heap", LINK, "voronoi")
    assert asked.pivots is not None
    assert asked.pivots.shape == (213, 128)
    assert asked.probes == 4
    assert len(collected(edges(found, asked))) >= 0.9 * len(brute(people))


@pytest.mark.parametrize("scope", ["heap", "identity"])
def test_comparisons_count_the_candidates(spark, people, scope):
    """With a link below every cosine each candidate is an edge, so the edges count the candidates."""
    found = frame(spark, tuple(column[:150] for column in people))
    asked = plan(found, scope, -2.0, "voronoi")
    cells, candidates = comparisons(found, asked)
    assert edges(found, asked).count() == candidates
    assert 0 < cells <= (112 if scope == "heap" else 61)


@pytest.mark.parametrize(
    ("count", "scope", "method"),
    [
        (0, "heap", "voronoi"),
        (0, "identity", "exact"),
        (1, "heap", "voronoi"),
        (2, "heap", "voronoi"),
        (2, "heap", "exact"),
    ],
)
def test_hardly_any_faces(spark, count, scope, method):
    vectors = np.ones((count, 4), np.float32) / 2
    found = frame(spark, (np.arange(count), ["one"] * count, vectors), partitions=1)
    asked = plan(found, scope, LINK, method)
    assert edges(found, asked).count() == (count == 2)
    assert comparisons(found, asked)[1] == (count == 2)


@pytest.mark.parametrize(
    ("vector", "message"),
    [
        ([0.0, 0.0], r"embeddings\.vector: 1 of 3 faces .* zero or not finite"),
        ([float("nan"), 1.0], r"embeddings\.vector: 1 of 3 faces .* zero or not finite"),
        (None, r"embeddings\.vector: 1 of 3 faces are without a vector"),
        ([1.0, 0.0, 0.0], r"embeddings\.vector: .* differ in length \(from 2 to 3 numbers, among 3 faces\)"),
    ],
)
def test_a_vector_that_cannot_be_compared_is_refused(spark, vector, message):
    rows = [(1, "a", [1.0, 0.0]), (2, "a", vector), (3, "a", [0.0, 1.0])]
    found = spark.createDataFrame(rows, FACES).coalesce(1)
    with pytest.raises(ContractError, match=message):
        plan(found, "heap", LINK, "voronoi")


def test_an_identity_larger_than_a_block_is_compared_whole(spark):
    ids, _, vectors = synthetic(800, 3, seed=9, dimension=32)
    crowd = (ids, ["everybody"] * len(ids), vectors)
    found = frame(spark, crowd)
    assert len(ids) > BLOCK
    assert collected(edges(found, plan(found, "identity", LINK, "exact"))) == brute(crowd)


def test_faces_of_lfw(spark, data):
    """Real faces of the 62 people with twenty and more: no pair twice, none wrong, and most edges are found."""
    stored = np.load(data / "lfw" / "embeddings.npz")
    names = [path.split("/")[0] for path in stored["paths"].tolist()]
    counts = {name: names.count(name) for name in set(names)}
    kept = [k for k, name in enumerate(names) if 20 <= counts[name] < 100]
    faces = (np.array(kept) * 7 - 1000, [names[k] for k in kept], stored["embeddings"][kept])
    found = frame(spark, faces, partitions=3).cache()
    truth = brute(faces)
    assert collected(edges(found, plan(found, "heap", LINK, "exact"))) == truth
    near = collected(edges(found, plan(found, "heap", LINK, "voronoi")))
    assert near <= truth
    assert len(near) >= 0.85 * len(truth)

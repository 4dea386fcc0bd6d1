"""Measured recall against edges whose recall is known."""

from __future__ import annotations

import pytest

from facesieve.stages.edges import edges, plan
from facesieve.stages.recall import recall
from factories import faces as synthetic

LINK = 0.6
FACES = "face_id bigint, identity string, vector array<float>"


@pytest.fixture(scope="module")
def heap(spark):
    ids, names, vectors = synthetic(90, 6, seed=5)
    rows = [(int(key), name, vector.tolist()) for key, name, vector in zip(ids, names, vectors, strict=True)]
    return spark.createDataFrame(rows, FACES).repartition(3).cache()


@pytest.fixture(scope="module")
def exact(heap):
    return edges(heap, plan(heap, "heap", LINK, "exact")).cache()


def test_all_edges_found_is_recall_one(heap, exact):
    measured = recall(heap, exact, LINK)
    assert (measured.recall, measured.low, measured.high) == (1.0, 1.0, 1.0)
    assert measured.true_edges >= 1_000
    assert 1_000 / 6 < measured.faces < 540


def test_a_known_share_missing_is_measured(heap, exact):
    half = exact.where("pmod(src, 2) = pmod(dst, 2)")
    share = half.count() / exact.count()
    measured = recall(heap, half, LINK)
    assert measured.low <= share <= measured.high
    assert measured.high - measured.low < 0.2
    assert measured == recall(heap.repartition(5), half, LINK)


def test_edges_of_the_other_scope_do_not_count(heap, exact):
    assert (
        recall(heap, exact.selectExpr("'identity' scope", "src", "dst", "cosine", "same_identity"), LINK).recall == 0.0
    )


def test_unknown_below_fifty_true_edges(spark, heap, exact):
    few = heap.where("identity = 'person-0000'")
    measured = recall(few, exact, LINK)
    assert (measured.recall, measured.low, measured.high, measured.faces) == (None, None, None, 6)
    assert 0 < measured.true_edges <= 30


def test_no_faces(spark, exact):
    assert recall(spark.createDataFrame([], FACES), exact.limit(0), LINK).faces == 0

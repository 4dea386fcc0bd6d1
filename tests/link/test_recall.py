"""True edges and measured recall against edges that are known."""

from __future__ import annotations

import numpy as np
import oracle
import pytest
from pyspark.sql import SparkSession

from facesieve.core.tables import EDGES, Edges
from facesieve.faces.blocks import FaceBlocks, Faces, ListedFaces, face_blocks, sample
from facesieve.link.kernels import recall as sampling
from facesieve.link.recall import recall, truth

LINK = 0.6


@pytest.fixture(scope="module")
def faces() -> oracle.Crowd:
    return oracle.crowd(70, 6, seed=5)


@pytest.fixture(scope="module")
def every(faces: oracle.Crowd) -> oracle.Pairs:
    return oracle.edges(faces, LINK)


def degrees_of(ids: np.ndarray, pairs: oracle.Pairs) -> np.ndarray:
    ends = np.array(list(pairs), np.int64).reshape(-1)
    return np.array([int((ends == face).sum()) for face in ids])


def table(spark: SparkSession, pairs: oracle.Pairs, scope: str = "global") -> Edges:
    rows = [(scope, src, dst, cosine, same) for (src, dst), (cosine, same) in pairs.items()]
    return Edges(spark.createDataFrame(rows, EDGES.columns))


@pytest.mark.parametrize("partitions", [1, 4])
def test_degrees_are_those_of_brute_force_and_partners_are_true(
    spark: SparkSession, faces: oracle.Crowd, every: oracle.Pairs, partitions: int
) -> None:
    rows = FaceBlocks(face_blocks(oracle.frame(spark, faces, partitions, seed=partitions)).cache())
    few = sample(rows, 80, 0, len(faces.ids))
    measured = truth(rows, few, LINK)
    assert 40 < len(few.ids) < 140
    assert measured.degrees.tolist() == degrees_of(few.ids, every).tolist()
    # All partners are held: every edge stands for itself, and is between vectors that have it.
    assert np.bincount(measured.edges.of, minlength=len(few.ids)).tolist() == measured.degrees.tolist()
    assert measured.edges.weights.tolist() == [1.0] * len(measured.edges.of)
    by_vector = {vector.tobytes(): face for face, vector in zip(faces.ids.tolist(), faces.halves, strict=True)}
    assert len(by_vector) == len(faces.ids) - 2, "three faces have one vector"
    for of, vector in zip(measured.edges.of.tolist(), measured.edges.others, strict=True):
        pair = sorted((int(few.ids[of]), by_vector[vector.tobytes()]))
        assert tuple(pair) in every or vector.tobytes() == few.vectors[of].tobytes()
    rows.unpersist()


def test_with_more_partners_than_are_held_each_stands_for_several(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One person with more faces than partners are held: the weights add up to the degrees."""
    person = oracle.crowd(1, sampling.PARTNERS + 40, seed=1)
    rows = face_blocks(oracle.frame(spark, person, 3))
    few = Faces(person.ids[:5], person.codes[:5], person.halves[:5])
    measured = truth(rows, few, 0.3)
    assert measured.degrees.tolist() == [sampling.PARTNERS + 39] * 5
    assert np.bincount(measured.edges.of).tolist() == [sampling.PARTNERS] * 5
    assert np.bincount(measured.edges.of, measured.edges.weights) == pytest.approx(measured.degrees)


def test_truth_of_no_faces(spark: SparkSession) -> None:
    nobody = face_blocks(ListedFaces(spark.createDataFrame([], oracle.FACES)))
    measured = truth(nobody, sample(nobody, 10, 0, 0), LINK)
    assert (len(measured.degrees), len(measured.edges.of)) == (0, 0)


def test_recall_of_a_known_missing_share_is_inside_its_interval(
    spark: SparkSession, faces: oracle.Crowd, every: oracle.Pairs
) -> None:
    """A third of the edges is missing; counted on all faces the estimate is the share itself, on some it is near."""
    third = {pair: edge for pair, edge in every.items() if hash(pair) % 3}
    share = len(third) / len(every)
    whole = recall(table(spark, third), faces.ids, degrees_of(faces.ids, every))
    assert whole.recall == pytest.approx(share)
    assert (whole.true_edges, whole.faces) == (2 * len(every), len(faces.ids))
    some = recall(table(spark, third), faces.ids[:150], degrees_of(faces.ids[:150], every))
    assert some.low is not None
    assert some.high is not None
    assert some.low < (some.recall or 0) < some.high
    assert some.low <= share <= some.high
    assert some.high - some.low < 0.15


def test_all_found_is_one_and_edges_of_the_other_scope_do_not_count(
    spark: SparkSession, faces: oracle.Crowd, every: oracle.Pairs
) -> None:
    degrees = degrees_of(faces.ids, every)
    both = Edges(table(spark, every).union(table(spark, every, "identity")))
    assert recall(both, faces.ids, degrees).recall == 1.0
    assert recall(table(spark, every, "identity"), faces.ids, degrees).recall == 0.0


def test_below_fifty_true_edges_recall_is_unknown(
    spark: SparkSession, faces: oracle.Crowd, every: oracle.Pairs
) -> None:
    degrees = degrees_of(faces.ids, every)
    many = int(np.searchsorted(np.cumsum(degrees), 50))
    under, over = (recall(table(spark, every), faces.ids[:count], degrees[:count]) for count in (many, many + 1))
    assert (under.recall, under.low, under.high) == (None, None, None)
    assert under.true_edges < 50 <= over.true_edges
    assert (over.recall, over.low, over.high) == (1.0, 1.0, 1.0)

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession

from facesieve.cluster import attachment as stage
from facesieve.cluster.attachment import Attachment, attachment
from facesieve.cluster.kernels.attachment import admission, permitted
from facesieve.cluster.kernels.exemplars import Links, exemplars, links, nearest_cluster, with_joined
from facesieve.faces.hashing import xxhash64
from facesieve.faces.vectors import medoid

LINK = 0.5


def nothing(_: np.ndarray) -> np.ndarray:
    return np.zeros((0, 2), np.int64)


class Members(NamedTuple):
    """Faces of clusters: cluster and face ids int64 [n], vectors float32 [n, D], medoid bool [n]."""

    clusters: np.ndarray
    faces: np.ndarray
    vectors: np.ndarray
    medoids: np.ndarray

    @property
    def sizes(self) -> np.ndarray:
        _, at, sizes = np.unique(self.clusters, return_inverse=True, return_counts=True)
        return sizes[at]


def members(people: int, leftovers: int, impostors: int, seed: int = 4) -> Members:
    """Make large clusters of people (two of them linked), leftovers of 1 to 3 of their faces, and impostors.

    Leftovers of one person are hard in the same way: they resemble each other more than the person.
    """
    draw = np.random.default_rng(seed)
    centres = draw.normal(size=(people, 32))
    centres[1] = centres[0] + 0.5 * draw.normal(size=32)
    blocks = [centres[at] + 0.8 * draw.normal(size=(draw.integers(12, 30), 32)) for at in range(people)]
    ways = draw.normal(size=(people, 32))
    few = min(people, 8)
    hard = [0.8 * centres[at % few] + ways[at % few] + 0.7 * draw.normal(size=32) for at in range(leftovers)]
    blocks += [one + 0.3 * draw.normal(size=(at % 3 + 1, 32)) for at, one in enumerate(hard)]
    blocks += [draw.normal(size=(1, 32)) for _ in range(impostors)]
    ids = draw.permutation(np.unique(draw.integers(-(2**63), 2**63 - 1, 4_000)))
    clusters = np.repeat(ids[: len(blocks)], [len(block) for block in blocks])
    vectors = np.concatenate(blocks)
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    faces, middle = ids[-len(vectors) :], np.zeros(len(vectors), np.bool_)
    for cluster in np.unique(clusters):
        rows = np.flatnonzero(clusters == cluster)
        middle[rows[medoid(faces[rows], vectors[rows])]] = True
    return Members(clusters, faces, vectors, middle)


def frame(spark: SparkSession, given: Members, partitions: int = 2, seed: int = 0) -> DataFrame:
    columns = (given.clusters, given.sizes, given.faces, given.vectors, given.medoids)
    order = np.random.default_rng(seed).permutation(len(given.faces))
    rows = list(zip(*(column[order].tolist() for column in columns), strict=True))
    names = "cluster long, cluster_size long, face_id long, vector array<float>, medoid boolean"
    return spark.createDataFrame(rows, names).repartition(partitions)


def expected(given: Members, error: float, each: int = 512, behind: int = 512, looks: int = 2) -> list[tuple[int, int]]:
    """Attach by the kernels, without Spark; `each` exemplars of a cluster and `behind` of its faces in the null."""
    large = given.sizes >= stage.LARGE
    draw = (xxhash64(given.faces).view(np.uint64) >> np.uint64(11)) / 2**53 * given.sizes
    halves = given.vectors.astype(np.float16)
    shown = large & ((draw < each) | given.medoids)
    known = exemplars(given.clusters[shown], given.faces[shown], halves[shown])
    linked = links(known, LINK)
    left, null = np.flatnonzero(~large & given.medoids), np.flatnonzero(large & (draw < behind))
    nobody = np.full(len(left), -1)
    found, near = nearest_cluster(given.faces[left], halves[left], nobody, known, linked)
    own = np.searchsorted(known.clusters, given.clusters[null])
    other, strange = nearest_cluster(given.faces[null], halves[null], own, known, linked)
    met = other >= 0
    joins = admission(near, strange[met], given.clusters[null][met], error)[0].joins
    asked, targets = (given.faces[left][joins], halves[left][joins], nobody[joins]), found[joins]
    if looks > 1:
        crowd = with_joined(known, targets, *asked[:2])
        targets, _ = nearest_cluster(*asked, crowd, Links(*np.zeros((2, 0), int)))
    return sorted(zip(given.clusters[left][joins].tolist(), known.clusters[targets].tolist(), strict=True))


def collected(found: Attachment) -> list[tuple[int, int]]:
    assert found.joins.dtypes == [("cluster", "bigint"), ("target", "bigint")]
    return sorted(tuple(row) for row in found.joins.collect())


@pytest.mark.parametrize(("partitions", "budgets"), [(1, (200_000, 20_000)), (7, (200_000, 20_000)), (2, (300, 90))])
def test_equals_the_kernels(
    spark: SparkSession, partitions: int, budgets: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "_EXEMPLARS", budgets[0])
    monkeypatch.setattr(stage, "_NULL", budgets[1])
    monkeypatch.setattr(stage, "_ASKED_ROWS", 2_048 // partitions)
    given = members(people=20, leftovers=40, impostors=20)
    found = attachment(frame(spark, given, partitions, seed=partitions), LINK, 0.2, nothing)
    each = [min(512, budget // 20) for budget in budgets]
    assert collected(found) == expected(given, 0.2, *each)
    assert collected(found) != expected(given, 0.2, *each, looks=1)
    faces = dict(zip(given.clusters.tolist(), given.sizes.tolist(), strict=True))
    joined = collected(found)
    record = found.record
    assert (record["leftovers"], record["large"], record["joined"]) == (60, 20, len(joined))
    assert record["attached"] == sum(faces[cluster] for cluster, _ in joined) > record["joined"] > 15
    assert 0 < record["p"] < 1
    assert 0 < record["pi0"] < 1
    assert record["reason"] is None
    assert (record["null"] == (given.sizes >= 10).sum()) == (budgets[1] > 90)


def test_forbidden_ones_stay_alone(spark: SparkSession) -> None:
    given = members(people=20, leftovers=40, impostors=20)
    free = expected(given, 0.2)
    target = max((target for _, target in free), key=[target for _, target in free].count)
    one, other = [cluster for cluster, joined in free if joined == target][:2]
    alone = next(cluster for cluster, joined in free if joined != target)
    forbidden = np.array([[other, one], [dict(free)[alone], alone]])
    found = attachment(frame(spark, given), LINK, 0.2, lambda _: forbidden)
    gone = set(free) - set(collected(found))
    assert set(collected(found)) < set(free)
    assert (alone, dict(free)[alone]) in gone
    assert len(gone & {(one, target), (other, target)}) == 1
    assert len(gone) == 2
    everything = np.array(free)
    nobody = attachment(frame(spark, given), LINK, 0.2, lambda _: everything)
    assert collected(nobody) == []
    assert nobody.record["reason"].startswith("forbidden: ")
    assert permitted(everything[:, 0], everything[:, 1], np.ones(len(free)), everything).sum() == 0


def test_strangers_stay(spark: SparkSession) -> None:
    found = attachment(frame(spark, members(people=20, leftovers=0, impostors=80)), LINK, 0.1, nothing)
    assert collected(found) == []
    assert found.record["pi0"] > 0.7
    assert (found.record["joined"], found.record["attached"], found.record["p"]) == (0, 0, None)
    assert found.record["reason"].startswith("none_accepted: ")


@pytest.mark.parametrize(("people", "leftovers", "reason"), [(2, 9, "few_clusters"), (12, 0, "no_leftovers")])
def test_too_little_is_known(spark: SparkSession, people: int, leftovers: int, reason: str) -> None:
    found = attachment(frame(spark, members(people, leftovers, 0)), LINK, 0.5, nothing)
    assert collected(found) == []
    assert found.record["reason"].startswith(reason + ": ")
    assert found.record["pi0"] is None


def test_no_faces(spark: SparkSession) -> None:
    given = members(12, 0, 0)
    found = attachment(frame(spark, given).where("false"), LINK, 0.1, nothing)
    assert (collected(found), found.record["leftovers"], found.record["large"]) == ([], 0, 0)

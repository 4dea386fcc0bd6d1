from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from pyspark.sql import SparkSession

from facesieve.cluster import attachment as module
from facesieve.cluster.attachment import Attachment, attachment
from facesieve.cluster.frames import JOINS, MEASURED_MEMBERS, MeasuredMembers
from facesieve.cluster.kernels import leftovers
from facesieve.cluster.kernels.attachment import admission, permitted
from facesieve.cluster.kernels.exemplars import Links, exemplars, links, with_joined
from facesieve.cluster.kernels.nearest_cluster import nearest_cluster
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
    blocks += [way + 0.3 * draw.normal(size=(at % 3 + 1, 32)) for at, way in enumerate(hard)]
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


def frame(spark: SparkSession, sample: Members, partitions: int = 2, seed: int = 0) -> MeasuredMembers:
    labels = sample.clusters[:, None]
    columns = (sample.clusters, sample.sizes, sample.faces, sample.vectors, labels, sample.medoids)
    order = np.random.default_rng(seed).permutation(len(sample.faces))
    rows = list(zip(*(column[order].tolist() for column in columns), strict=True))
    return MeasuredMembers(spark.createDataFrame(rows, MEASURED_MEMBERS).repartition(partitions))


def expected(
    sample: Members, error: float, each: int = 512, behind: int = 512, looks: int = 2
) -> list[tuple[int, int]]:
    """Attach by the kernels, without Spark; `each` exemplars of a cluster and `behind` of its faces in the null."""
    large = sample.sizes >= leftovers.LARGE
    draw = (xxhash64(sample.faces).view(np.uint64) >> np.uint64(11)) / 2**53 * sample.sizes
    halves = sample.vectors.astype(np.float16)
    shown = large & ((draw < each) | sample.medoids)
    crowd = exemplars(sample.clusters[shown], sample.faces[shown], halves[shown])
    linked = links(crowd, LINK)
    left, null = np.flatnonzero(~large & sample.medoids), np.flatnonzero(large & (draw < behind))
    nobody = np.full(len(left), -1)
    result, near = nearest_cluster(sample.faces[left], halves[left], nobody, crowd, linked)
    own = np.searchsorted(crowd.clusters, sample.clusters[null])
    second, strange = nearest_cluster(sample.faces[null], halves[null], own, crowd, linked)
    met = second >= 0
    joins = admission(near, strange[met], sample.clusters[null][met], error)[0].joins
    asked, targets = (sample.faces[left][joins], halves[left][joins], nobody[joins]), result[joins]
    if looks > 1:
        grown = with_joined(crowd, targets, *asked[:2])
        targets, _ = nearest_cluster(*asked, grown, Links(*np.zeros((2, 0), int)))
    return sorted(zip(sample.clusters[left][joins].tolist(), crowd.clusters[targets].tolist(), strict=True))


def collected(result: Attachment) -> list[tuple[int, int]]:
    assert result.joins.schema == JOINS
    return sorted((row.cluster, row.target) for row in result.joins.collect())


@pytest.mark.parametrize(("partitions", "budgets"), [(1, (200_000, 20_000)), (7, (200_000, 20_000)), (2, (300, 90))])
def test_equals_the_kernels(
    spark: SparkSession, partitions: int, budgets: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leftovers, "_EXEMPLARS", budgets[0])
    monkeypatch.setattr(leftovers, "_NULL", budgets[1])
    monkeypatch.setattr(module, "_ASKED_ROWS", 2_048 // partitions)
    sample = members(people=20, leftovers=40, impostors=20)
    result = attachment(frame(spark, sample, partitions, seed=partitions), LINK, 0.2, nothing)
    each, behind = (min(512, budget // 20) for budget in budgets)
    assert collected(result) == expected(sample, 0.2, each, behind)
    assert collected(result) != expected(sample, 0.2, each, behind, looks=1)
    faces = dict(zip(sample.clusters.tolist(), sample.sizes.tolist(), strict=True))
    joined = collected(result)
    record = result.record
    assert (record.leftovers, record.large, record.joined) == (60, 20, len(joined))
    assert record.attached == sum(faces[cluster] for cluster, _ in joined) > record.joined > 15
    assert record.p is not None
    assert 0 < record.p < 1
    assert record.pi0 is not None
    assert 0 < record.pi0 < 1
    assert record.reason is None
    assert (record.null_faces == (sample.sizes >= 10).sum()) == (budgets[1] > 90)


def test_forbidden_ones_stay_alone(spark: SparkSession) -> None:
    sample = members(people=20, leftovers=40, impostors=20)
    free = expected(sample, 0.2)
    target = max((target for _, target in free), key=[target for _, target in free].count)
    first, second = [cluster for cluster, joined in free if joined == target][:2]
    alone = next(cluster for cluster, joined in free if joined != target)
    forbidden = np.array([[second, first], [dict(free)[alone], alone]])
    result = attachment(frame(spark, sample), LINK, 0.2, lambda _: forbidden)
    gone = set(free) - set(collected(result))
    assert set(collected(result)) < set(free)
    assert (alone, dict(free)[alone]) in gone
    assert len(gone & {(first, target), (second, target)}) == 1
    assert len(gone) == 2
    everything = np.array(free)
    nobody = attachment(frame(spark, sample), LINK, 0.2, lambda _: everything)
    assert collected(nobody) == []
    assert (nobody.record.reason or "").startswith("forbidden: ")
    assert permitted(everything[:, 0], everything[:, 1], np.ones(len(free)), everything).sum() == 0


def test_impostors_stay(spark: SparkSession) -> None:
    result = attachment(frame(spark, members(people=20, leftovers=0, impostors=80)), LINK, 0.1, nothing)
    assert collected(result) == []
    assert (result.record.pi0 or 0) > 0.7
    assert (result.record.joined, result.record.attached, result.record.p) == (0, 0, None)
    assert (result.record.reason or "").startswith("none_accepted: ")


@pytest.mark.parametrize(("people", "leftovers", "reason"), [(2, 9, "few_clusters"), (12, 0, "no_leftovers")])
def test_too_little_is_known(spark: SparkSession, people: int, leftovers: int, reason: str) -> None:
    result = attachment(frame(spark, members(people, leftovers, 0)), LINK, 0.5, nothing)
    assert collected(result) == []
    assert (result.record.reason or "").startswith(reason + ": ")
    assert result.record.pi0 is None


def test_no_faces(spark: SparkSession) -> None:
    sample = members(12, 0, 0)
    result = attachment(MeasuredMembers(frame(spark, sample).where("false")), LINK, 0.1, nothing)
    assert (collected(result), result.record.leftovers, result.record.large) == ([], 0, 0)

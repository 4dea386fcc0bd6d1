"""The distributed structure score against the kernel on the whole graph, whatever the partitions and their order."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from pyspark.sql import DataFrame, SparkSession

from facesieve.cluster import structure_score as module
from facesieve.cluster.frames import SCORED_EDGES, ScoredEdges
from facesieve.cluster.kernels.neighbourhoods import hoods
from facesieve.cluster.kernels.structure import least_vote, scores
from facesieve.cluster.structure_score import structure, structure_in_one_task
from facesieve.core import sections
from facesieve.core.tables import Edges
from facesieve.link.edges import Tally

LINE = 0.3

Pairs = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float32]]
Scored = tuple[list[tuple[int, int, float, bool]], tuple[int, int]]


def random_edges(seed: int, faces: int, share: float, levels: int, hub: int = 0) -> Pairs:
    """A random graph over ids of either sign with many equal cosines; its first face also knows `hub` others."""
    rng = np.random.default_rng(seed)
    ids = rng.choice(np.arange(-(10**15), 10**15, 10**9 + 7), faces + hub, replace=False)
    first, second = np.triu_indices(faces, 1)
    chosen = rng.random(len(first)) < share
    first, second = (
        np.append(first[chosen], np.zeros(hub, int)),
        np.append(second[chosen], np.arange(faces, faces + hub)),
    )
    cosines = (0.25 + 0.75 * rng.integers(0, levels, len(first)) / levels).astype(np.float32)
    ends = np.sort(np.stack([ids[first], ids[second]]), axis=0)
    order = rng.permutation(len(first))
    return ends[0][order], ends[1][order], cosines[order]


def expected(pairs: Pairs, settings: sections.Cluster) -> Scored:
    """Score by the kernel, and count faces and those cut."""
    src, dst, cosines = pairs
    owners = np.append(src, dst)
    closed = hoods(owners, np.append(dst, src), np.append(cosines, cosines), LINE, settings.max_degree)
    integers = scores(src, dst, cosines, LINE, closed)
    degrees = np.unique(owners, return_counts=True)[1]
    columns = (src, dst, integers / 2**20, integers >= least_vote(settings.score_cut))
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return sorted(rows), (len(degrees), int((degrees > settings.max_degree).sum()))


def scored(
    spark: SparkSession,
    pairs: Pairs,
    settings: sections.Cluster,
    partitions: int = 2,
    score: Callable[..., ScoredEdges] = structure,
) -> Scored:
    """Score with Spark; the tally summed over tasks."""
    edges = Edges(frame_of(spark, pairs).repartition(partitions))
    tally = spark.sparkContext.accumulator({}, Tally())
    rows = [tuple(row) for row in score(edges, LINE, settings, tally).collect()]
    degrees = np.sum(list(tally.value.values()), axis=0)
    return sorted(rows), (int(degrees[0]), int(degrees[1]))


def frame_of(spark: SparkSession, pairs: Pairs) -> DataFrame:
    table = pa.table(dict(zip(("src", "dst", "cosine"), pairs, strict=True)))
    return spark.createDataFrame(table.to_pandas(), "src bigint, dst bigint, cosine float")


@pytest.mark.parametrize(("seed", "most", "cut"), [(0, 200, 0.27), (1, 1, 0.3), (2, 5, 0.25)])
def test_it_is_the_kernel(spark: SparkSession, seed: int, most: int, cut: float) -> None:
    edges, settings = random_edges(seed, 60, 0.3, 5), sections.Cluster(max_degree=most, score_cut=cut)
    wanted = expected(edges, settings)
    assert {row[3] for row in wanted[0]} == {True, False}
    assert scored(spark, edges, settings) == wanted
    assert scored(spark, edges, settings, score=structure_in_one_task) == wanted


@pytest.mark.parametrize(("partitions", "group_ends"), [(1, 1 << 22), (2, 300), (7, 200)])
def test_it_does_not_depend_on_partitions_or_order(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch, partitions: int, group_ends: int
) -> None:
    settings = sections.Cluster(max_degree=8)
    edges = random_edges(3, 50, 0.4, 4, hub=40)
    wanted = expected(edges, settings)
    assert wanted[1][1] > 10
    order = np.random.default_rng(partitions).permutation(len(edges[0]))
    monkeypatch.setattr(module, "_GROUP_ENDS", group_ends)
    monkeypatch.setattr(module, "_SENT_EDGES", group_ends)
    shuffled = edges[0][order], edges[1][order], edges[2][order]
    assert scored(spark, shuffled, settings, partitions) == wanted


def test_a_hub(spark: SparkSession) -> None:
    edges, settings = random_edges(4, 30, 0.5, 4, hub=20_000), sections.Cluster(max_degree=20)
    assert scored(spark, edges, settings) == expected(edges, settings)


def test_a_hub_sends_no_more_than_its_strongest(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """The neighbourhoods sent hold at most `max_degree` neighbours, whatever the degree."""
    pairs, settings = random_edges(5, 10, 0.9, 4, hub=5_000), sections.Cluster(max_degree=7)
    edges = Edges(frame_of(spark, pairs))
    plan = module._planned(edges, LINE, settings)
    tally = spark.sparkContext.accumulator({}, Tally())
    ends = edges.mapInArrow(module._send(plan), module._ENDS).repartition(len(plan.keys), "part")
    sent = ends.mapInArrow(module._neighbourhoods(plan, tally), module._CELLS).collect()
    copies = np.concatenate([np.frombuffer(row.faces, np.int64) for row in sent])
    sizes = np.concatenate([np.frombuffer(row.sizes, np.int64) for row in sent])
    assert sizes.max() == 8
    assert np.unique(copies, return_counts=True)[1].max() <= plan.groups
    assert sum(len(row.src) // 8 for row in sent) == len(pairs[0])


def test_no_edges(spark: SparkSession) -> None:
    edges = Edges(spark.createDataFrame([], "src bigint, dst bigint, cosine float"))
    tally = spark.sparkContext.accumulator({}, Tally())
    nothing = structure(edges, LINE, sections.Cluster(), tally)
    assert nothing.schema == SCORED_EDGES
    assert (nothing.collect(), tally.value) == ([], {})


def test_what_is_exactly_at_a_limit_is_within_it(spark: SparkSession) -> None:
    """A face of just `max_degree` neighbours is not cut, and an edge just at the cut votes."""
    star = np.zeros(7, np.int64), np.arange(1, 8), np.linspace(0.5, 0.9, 7).astype(np.float32)
    weakest = min(row[2] for row in expected(star, sections.Cluster(max_degree=7))[0])
    rows, (faces, cut) = scored(spark, star, sections.Cluster(max_degree=7, score_cut=weakest))
    assert ([row[3] for row in rows], faces, cut) == ([True] * 7, 8, 0)

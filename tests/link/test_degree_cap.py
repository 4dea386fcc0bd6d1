"""The cap against its definition, edge by edge; the same for any partitioning, and cheap where nothing is capped."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from facesieve.core import frames
from facesieve.core.tables import EDGES, Edges
from facesieve.link.degree_cap import DegreeCap, degree_cap

Pair = tuple[int, int]
Weighted = dict[Pair, float]


def _frame(spark: SparkSession, edges: Weighted, partitions: int = 2) -> Edges:
    rows = [("global", src, dst, cosine, None) for (src, dst), cosine in edges.items()]
    return Edges(spark.createDataFrame(rows, EDGES.columns).repartition(partitions))


def _expected(edges: Weighted, most: int) -> tuple[set[Pair], int]:
    """Read off the definition: every face keeps its `most` strongest; an edge goes if neither end keeps it."""
    seen = defaultdict(list)
    for (src, dst), cosine in edges.items():
        seen[src].append((-np.float32(cosine), dst, (src, dst)))
        seen[dst].append((-np.float32(cosine), src, (src, dst)))
    strongest = {edge for mine in seen.values() for _, _, edge in sorted(mine)[:most]}
    return set(edges) - strongest, sum(len(mine) > most for mine in seen.values())


def _collected(outcome: DegreeCap) -> tuple[set[Pair], int]:
    rows = [(row.src, row.dst) for row in outcome.removed.collect()]
    assert len(rows) == len(set(rows))
    return set(rows), outcome.faces


def _random(seed: int, faces: int, share: float, levels: int) -> Weighted:
    """A random graph over ids of either sign with `levels` different cosines: many ties."""
    rng = np.random.default_rng(seed)
    ids = np.sort(rng.choice(np.arange(-1_000, 1_000), faces, replace=False)).tolist()
    return {
        (ids[a], ids[b]): float(np.float32(0.5 + rng.integers(levels) / (2 * levels)))
        for a in range(faces)
        for b in range(a + 1, faces)
        if rng.random() < share
    }


graphs = st.builds(
    _random, st.integers(0, 10_000), st.integers(2, 12), st.sampled_from([0.2, 0.6, 1.0]), st.sampled_from([1, 3, 100])
)


@settings(
    max_examples=5,
    deadline=None,
    phases=[Phase.generate],  # to shrink a failure through Spark would take minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(many=st.lists(graphs, min_size=4, max_size=12), most=st.integers(1, 5))
def test_it_is_its_definition(spark: SparkSession, many: list[Weighted], most: int) -> None:
    apart = {
        (src + 10_000 * number, dst + 10_000 * number): cosine
        for number, edges in enumerate(many)
        for (src, dst), cosine in edges.items()
    }
    assert _collected(degree_cap(_frame(spark, apart), most)) == _expected(apart, most)


@pytest.mark.parametrize("adaptive", ["true", "false"])
def test_it_does_not_depend_on_partitioning(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch, adaptive: str
) -> None:
    edges = _random(1, 40, 0.6, 4)
    expected = _expected(edges, 5)
    assert len(expected[0]) > 100
    spark.conf.set("spark.sql.adaptive.enabled", adaptive)
    try:
        for partitions in (1, 7):
            assert _collected(degree_cap(_frame(spark, edges, partitions), 5)) == expected
        monkeypatch.setattr(frames, "BROADCAST_ROWS", 0)
        assert _collected(degree_cap(_frame(spark, edges, 5), 5)) == expected
    finally:
        spark.conf.set("spark.sql.adaptive.enabled", "true")


def test_a_hub_keeps_its_edges_to_faces_that_are_not_capped(spark: SparkSession) -> None:
    star = {(0, leaf): 0.5 for leaf in range(1, 30)}
    assert _collected(degree_cap(_frame(spark, star), 3)) == (set(), 1)


def test_edges_to_uncapped_faces_take_room_at_a_capped_one(spark: SparkSession) -> None:
    """Two hubs whose mutual edge is weaker than what each has at its leaves lose it."""
    two = {(0, 1): 0.5, (0, 2): 0.9, (1, 3): 0.9}
    assert _collected(degree_cap(_frame(spark, two), 1)) == ({(0, 1)}, 2)


def test_where_nothing_is_capped_only_a_count_is_made(spark: SparkSession) -> None:
    edges = Edges(_frame(spark, _random(2, 20, 0.3, 3)).cache())
    edges.count()
    spark.sparkContext.setJobGroup("uncapped", "counted")
    outcome = degree_cap(edges, 19)
    jobs = spark.sparkContext.statusTracker().getJobIdsForGroup("uncapped")
    spark.sparkContext.setJobGroup("others", "")
    assert (_collected(outcome), len(jobs) <= 3) == ((set(), 0), True)

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from facesieve.cluster.frames import ClusteredFaces
from facesieve.cluster.lineage import Lineage, lineage
from facesieve.core.tables import Clusters

Groups = dict[int, int]


def matched(spark: SparkSession, new: Groups, old: Groups) -> Lineage:
    rows, former = (
        spark.createDataFrame(list(groups.items()), "face_id long, cluster_id long") for groups in (new, old)
    )
    return lineage(ClusteredFaces(rows), Clusters(former))


def by_hand(new: Groups, old: Groups) -> tuple[dict[int, int], dict[str, Any]]:
    shared = Counter((new[face], old[face]) for face in new.keys() & old.keys())
    claim = {
        cluster: min((-count, former) for (other, former), count in shared.items() if other == cluster)
        for cluster in {cluster for cluster, _ in shared}
    }
    heir: dict[int, tuple[int, int]] = {}
    for cluster, (minus, former) in claim.items():
        heir[former] = min(heir.get(former, (1, 0)), (minus, cluster))
    both = sorted(new.keys() & old.keys())
    changed = sum(
        {other for other in both if new[other] == new[face]} != {other for other in both if old[other] == old[face]}
        for face in both
    )
    churn = {
        "births": len(set(new.values())) - len(heir),
        "deaths": len(set(old.values())) - len(heir),
        "merges": sum(sum(cluster_ == cluster for cluster_, _ in shared) > 1 for cluster in set(new.values())),
        "splits": sum(sum(former_ == former for _, former_ in shared) > 1 for former in set(old.values())),
        "faces": len(both),
        "changed": changed / len(both) if both else 0.0,
    }
    return {cluster: former for former, (_, cluster) in heir.items()}, churn


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(st.integers(0, 30), st.integers(100, 105), min_size=1),
    st.dictionaries(st.integers(0, 30), st.integers(-5, 0), min_size=1),
)
def test_equals_the_rules_read_aloud(spark: SparkSession, new: Groups, old: Groups) -> None:
    result = matched(spark, new, old)
    heirs, churn = by_hand(new, old)
    assert {row["cluster"]: row["cluster_id"] for row in result.heirs.collect()} == heirs
    assert result.churn.to_json() == churn
    result.heirs.unpersist()


@pytest.mark.parametrize("faces", [0, 3])
def test_nothing_in_common(spark: SparkSession, faces: int) -> None:
    result = matched(spark, dict.fromkeys(range(faces), 1), {9: 5})
    assert result.heirs.isEmpty()
    assert result.churn.to_json() == {
        "births": int(faces > 0),
        "deaths": 1,
        "merges": 0,
        "splits": 0,
        "faces": 0,
        "changed": 0.0,
    }

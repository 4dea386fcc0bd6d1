"""Whose a cluster of the scope global is."""

from __future__ import annotations

from typing import Any

from deciding import rows_of
from pyspark.sql import SparkSession

from facesieve.decide.cluster_owners import OWNERS, cluster_owners
from facesieve.decide.evidence import SPEAKING, SpeakingFaces


def folder(name: str | None, cluster: int, core: int, others: int = 0) -> list[dict[str, Any]]:
    """The faces of a folder whose main cluster is `cluster`: core faces, and others that do not count or are apart."""
    face = {
        "identity": name,
        "main_global": cluster,
        "main": True,
        "counted": True,
        "in_main_global": True,
        "largest": 9,
    }
    apart = [face | {flag: False} for flag in ("main", "counted", "in_main_global")]
    rows = [face] * core + (apart * others)[:others]
    return [row | {"image_id": hash((name, number)) % 2**31} for number, row in enumerate(rows)]


def test_most_core_images_own_a_cluster_and_the_first_name_of_equal_ones(spark: SparkSession) -> None:
    faces = [
        *folder("bob", 1, core=3),
        *folder("ann", 1, core=3),
        *folder("cy", 2, core=4),
        *folder("dan", 2, core=3, others=6),
        *folder("eve", 3, core=2, others=3),
        *folder(None, 4, core=5),
    ]
    owners = cluster_owners(SpeakingFaces(rows_of(spark, SPEAKING, faces)))
    assert [(field.name, field.dataType) for field in owners.schema] == [(f.name, f.dataType) for f in OWNERS]
    assert sorted(map(tuple, owners.collect())) == [(1, "ann", 9), (2, "cy", 9)]

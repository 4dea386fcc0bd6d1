from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from pyspark.sql import SparkSession

from facesieve.kernels.whispers import split
from facesieve.stages import parts as stage
from graphs import Graph, graph


def found(spark: SparkSession, made: Graph, labels: np.ndarray) -> list[int]:
    pairs = np.stack([made.src, made.dst], axis=1)
    both = np.concatenate([pairs, pairs[:, ::-1]]).tolist()
    faces = list(zip(made.ids.tolist(), labels.tolist(), strict=True))
    mirrored = spark.createDataFrame(both, "src long, dst long")
    split_up = stage.parts(spark.createDataFrame(faces, "id long, label long"), mirrored)
    rows = dict(split_up.select("id", "cluster").collect())
    return [rows[face] for face in made.ids.tolist()]


def test_dense_clusters_need_hops_alone(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "_components", None)
    made = graph(nx.disjoint_union(nx.barbell_graph(6, 0), nx.empty_graph(3)), seed=1)
    labels = np.array([7] * 6 + [8] * 6 + made.ids[12:].tolist())
    assert found(spark, made, labels) == split(made.ids, labels, made.src, made.dst).tolist()


def test_long_paths_and_split_labels(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "HOPS", 1)
    shape = nx.disjoint_union(nx.path_graph(300), nx.gnm_random_graph(60, 70, seed=3))
    made = graph(shape, seed=2)
    labels = np.array([9] * 320 + [4, 5] * 20)
    assert found(spark, made, labels) == split(made.ids, labels, made.src, made.dst).tolist()


def test_no_edges(spark: SparkSession) -> None:
    made = graph(nx.empty_graph(3), seed=2)
    assert found(spark, made, made.ids) == made.ids.tolist()

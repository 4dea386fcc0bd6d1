from __future__ import annotations

import networkx as nx
import numpy as np
import pyarrow as pa
import pytest
from graphs import Graph, graph
from pyspark.sql import SparkSession

from facesieve.cluster import components as stage
from facesieve.cluster.kernels.whispers import split


def found(spark: SparkSession, made: Graph, labels: np.ndarray) -> list[int]:
    pairs = np.stack([made.src, made.dst], axis=1)
    both = np.concatenate([pairs, pairs[:, ::-1]]).tolist()
    faces = list(zip(made.ids.tolist(), labels.tolist(), strict=True))
    mirrored = spark.createDataFrame(both, "src long, dst long")
    split_up = stage.parts(spark.createDataFrame(faces, "id long, label long"), mirrored, len(faces))
    rows = dict(split_up.select("id", "cluster").collect())
    return [rows[face] for face in made.ids.tolist()]


def test_dense_clusters_and_single_faces(spark: SparkSession) -> None:
    made = graph(nx.disjoint_union(nx.barbell_graph(6, 0), nx.empty_graph(3)), seed=1)
    labels = np.array([7] * 6 + [8] * 6 + made.ids[12:].tolist())
    assert found(spark, made, labels) == split(made.ids, labels, made.src, made.dst).tolist()


def test_long_paths_and_split_labels(spark: SparkSession) -> None:
    made = graph(nx.disjoint_union(nx.path_graph(300), nx.gnm_random_graph(60, 70, seed=3)), seed=2)
    labels = np.array([9] * 320 + [4, 5] * 20)
    assert found(spark, made, labels) == split(made.ids, labels, made.src, made.dst).tolist()


@pytest.mark.parametrize("at_once", [1, 7, 1_000])
def test_edges_may_come_in_any_portions(monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr(stage, "EDGES_AT_ONCE", at_once)
    made = graph(nx.gnm_random_graph(60, 50, seed=3), seed=2)
    rows = pa.RecordBatch.from_pydict({"src": made.src, "dst": made.dst})
    batches = [rows.slice(start, 3) for start in range(0, len(made.src), 3)]
    found = pa.Table.from_batches(stage.connected(batches))
    linked = np.unique(np.append(made.src, made.dst))
    assert found["id"].to_pylist() == linked.tolist()
    assert found["cluster"].to_pylist() == split(linked, np.zeros_like(linked), made.src, made.dst).tolist()


def test_no_edges(spark: SparkSession) -> None:
    made = graph(nx.empty_graph(3), seed=2)
    assert found(spark, made, made.ids) == made.ids.tolist()

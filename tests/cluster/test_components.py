from __future__ import annotations

import networkx as nx
import numpy as np
import pyarrow as pa
import pytest
from graphs import Graph, graph
from pyspark.sql import SparkSession

from facesieve.cluster import components as module
from facesieve.cluster.frames import LABELS, DirectedEdges, Labels
from facesieve.cluster.kernels.coins import together
from facesieve.cluster.kernels.whispers import split


def parts(spark: SparkSession, sample: Graph, labels: np.ndarray) -> list[int]:
    pairs = np.stack([sample.src, sample.dst], axis=1)
    both = np.concatenate([pairs, pairs[:, ::-1]]).tolist()
    of_face = labels.reshape(len(labels), -1)
    faces = [(face, row, True) for face, row in zip(sample.ids.tolist(), of_face.tolist(), strict=True)]
    directed = DirectedEdges(spark.createDataFrame(both, "src long, dst long"))
    ends = Labels(spark.createDataFrame(faces, LABELS))
    result = module.components(ends, directed, len(faces), of_face.shape[1])
    rows = {row["id"]: row["cluster"] for row in result.collect()}
    assert len(rows) == result.count() == len(faces)
    return [rows[face] for face in sample.ids.tolist()]


def test_dense_clusters_and_single_faces(spark: SparkSession) -> None:
    sample = graph(nx.disjoint_union(nx.barbell_graph(6, 0), nx.empty_graph(3)), seed=1)
    labels = np.array([7] * 6 + [8] * 6 + sample.ids[12:].tolist())
    assert parts(spark, sample, labels) == split(sample.ids, labels, sample.src, sample.dst).tolist()


def test_long_paths_and_split_labels(spark: SparkSession) -> None:
    sample = graph(nx.disjoint_union(nx.path_graph(300), nx.gnm_random_graph(60, 70, seed=3)), seed=2)
    labels = np.array([9] * 320 + [4, 5] * 20)
    assert parts(spark, sample, labels) == split(sample.ids, labels, sample.src, sample.dst).tolist()


@pytest.mark.parametrize("coins", [2, 3, 8])
def test_what_half_of_the_coins_hold_together(spark: SparkSession, coins: int) -> None:
    sample = graph(nx.disjoint_union(nx.path_graph(80), nx.gnm_random_graph(60, 90, seed=3)), seed=coins)
    labels = np.random.default_rng(coins).integers(0, 2, (len(sample.ids), coins))
    expected = together(sample.ids, labels, sample.src, sample.dst)
    assert parts(spark, sample, labels) == expected.tolist()
    # No label of one coin holds such a component, so that parts of coin 0 had to be joined.
    of_first = together(sample.ids, labels[:, :1], sample.src, sample.dst)
    assert any(len(np.unique(of_first[expected == name])) > 1 for name in np.unique(expected))


@pytest.mark.parametrize("at_once", [1, 7, 1_000])
def test_edges_may_come_in_any_portions(monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr(module, "EDGES_AT_ONCE", at_once)
    sample = graph(nx.gnm_random_graph(60, 50, seed=3), seed=2)
    rows = pa.RecordBatch.from_pydict({"src": sample.src, "dst": sample.dst})
    batches = [rows.slice(start, 3) for start in range(0, len(sample.src), 3)]
    result = pa.Table.from_batches(module.connected(batches))
    linked = np.unique(np.append(sample.src, sample.dst))
    assert result["id"].to_pylist() == linked.tolist()
    assert result["cluster"].to_pylist() == split(linked, np.zeros_like(linked), sample.src, sample.dst).tolist()


def test_no_edges(spark: SparkSession) -> None:
    sample = graph(nx.empty_graph(3), seed=2)
    assert parts(spark, sample, sample.ids) == sample.ids.tolist()

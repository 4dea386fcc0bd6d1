"""All clusters at once are measured as each is by itself."""

from __future__ import annotations

import numpy as np

from facesieve.cluster.kernels.cohesion import cohesion
from facesieve.cluster.kernels.coins import stability
from facesieve.cluster.kernels.members import measures


def test_equals_each_cluster_by_itself() -> None:
    rng = np.random.default_rng(5)
    ids = np.sort(rng.choice(10_000, 300, replace=False)) - 5_000
    clusters, labels = rng.integers(-90, 90, 300), rng.integers(0, 2, (300, 8))
    vectors = rng.normal(size=(300, 16)).astype(np.float32)
    of = measures(clusters, ids, vectors, labels)
    sizes = set()
    for cluster in np.unique(clusters).tolist():
        rows = np.flatnonzero(clusters == cluster)
        centre, mean = cohesion(ids[rows], vectors[rows])
        sizes.add(len(rows))
        assert set(of.clusters[rows].tolist()) == {int(ids[rows[0]])}
        assert set(of.sizes[rows].tolist()) == {len(rows)}
        assert set(of.cohesion[rows].tolist()) == {float(np.float32(mean))}
        assert np.flatnonzero(of.medoids[rows]).tolist() == [centre]
        assert of.stability[rows].tolist() == stability(labels[rows], centre).tolist()
    assert 1 in sizes
    assert max(sizes) > 3


def test_nobody() -> None:
    none = np.zeros(0, np.int64)
    of = measures(none, none, np.zeros((0, 0), np.float32), np.zeros((0, 2), np.int64))
    assert [len(column) for column in of] == [0] * 5

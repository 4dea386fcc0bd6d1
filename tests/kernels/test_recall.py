"""The ratio estimator of recall."""

from __future__ import annotations

import numpy as np

from facesieve.kernels.recall import degrees, enough_faces, ratio_interval


def test_faces_are_added_until_a_thousand_edges():
    assert enough_faces(np.full(5_000, 1)) == 1_000
    assert enough_faces(np.full(5_000, 0)) == 5_000
    assert enough_faces(np.full(5_000, 10)) == 500
    assert enough_faces(np.array([2_000, 1])) == 2
    assert enough_faces(np.array([3, 0, 3])) == 3
    assert enough_faces(np.empty(0, np.int64)) == 0


def test_below_fifty_edges_recall_is_unknown():
    assert ratio_interval(np.array([49]), np.array([49]), 0) is None
    assert ratio_interval(np.empty(0, np.int64), np.empty(0, np.int64), 0) is None
    assert ratio_interval(np.array([50]), np.array([50]), 0) == (1.0, 1.0, 1.0)


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    covered = 0
    for seed in range(100):
        true = rng.integers(1, 40, size=80)
        found = rng.binomial(true, 0.9)
        _, low, high = ratio_interval(found, true, seed)
        covered += low <= 0.9 <= high
    assert covered >= 88


def test_degrees_count_neighbours_but_not_oneself():
    vectors = np.array([[1, 0], [1, 0], [0, 1]], np.float16)
    ids = np.array([10, 20, 30])
    assert degrees(ids, vectors, ids, vectors, 0.5).tolist() == [1, 1, 0]

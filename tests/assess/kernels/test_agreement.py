from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics.cluster import normalized_mutual_info_score, pair_confusion_matrix

from facesieve.assess.kernels.agreement import BANDS, bcubed, contingency, pairwise, purity

GROUPINGS = st.lists(st.tuples(st.integers(-2, 4), st.integers(0, 5)), min_size=1, max_size=30)


@given(GROUPINGS)
def test_bcubed_equals_its_definition(pairs: list[tuple[int, int]]) -> None:
    precision = recall = 0.0
    for person, cluster in pairs:
        both = sum(1 for a, b in pairs if a == person and b == cluster)
        precision += both / sum(1 for _, b in pairs if b == cluster) / len(pairs)
        recall += both / sum(1 for a, _ in pairs if a == person) / len(pairs)
    found = bcubed(*np.array(pairs).T)
    assert found == pytest.approx((precision, recall, 2 * precision * recall / (precision + recall)))


@given(GROUPINGS)
def test_pairwise_equals_counting_pairs(pairs: list[tuple[int, int]]) -> None:
    same = [(a[0] == b[0], a[1] == b[1]) for a, b in combinations(pairs, 2)]
    both, together, one_person = (sum(x and y for x, y in same), sum(y for _, y in same), sum(x for x, _ in same))
    found = pairwise(*np.array(pairs).T)
    assert found.precision == pytest.approx(both / together if together else 1.0)
    assert found.recall == pytest.approx(both / one_person if one_person else 1.0)


def test_pairwise_equals_scikit_learn() -> None:
    truth, labels = np.random.default_rng(0).integers(0, 9, (2, 500))
    (_, wrong), (missed, right) = pair_confusion_matrix(truth, labels)
    assert pairwise(truth, labels)[:2] == pytest.approx((right / (right + wrong), right / (right + missed)))


@given(GROUPINGS)
def test_mutual_information_equals_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    truth, labels = np.array(pairs).T
    expected = normalized_mutual_info_score(truth, labels, average_method="arithmetic")
    assert contingency(truth, labels).mutual_information() == pytest.approx(expected, abs=1e-12)


@given(GROUPINGS)
def test_cells_count_faces_people_and_clusters(pairs: list[tuple[int, int]]) -> None:
    cells = contingency(*np.array(pairs).T)
    people, clusters = zip(*pairs, strict=True)
    assert (cells.faces, cells.people, cells.clusters) == (len(pairs), len(set(people)), len(set(clusters)))
    assert int(cells.times.sum()) == len(set(pairs))
    assert len(np.unique(np.stack(cells[:3]), axis=1).T) == len(cells.times)


def test_counts_of_ten_million_faces_do_not_overflow() -> None:
    one = contingency(np.zeros(1), np.zeros(1))
    many = type(one)(one.both * 10_000_000, one.of_person * 10_000_000, one.of_cluster * 10_000_000, one.times)
    assert many.pairwise() == many.bcubed() == (1.0, 1.0, 1.0)
    assert many.mutual_information() == 1.0


@given(st.lists(st.tuples(st.integers(1, 200), st.integers(1, 200), st.integers(1, 9)), max_size=12))
def test_every_cluster_is_in_one_band_of_purity(clusters: list[tuple[int, int, int]]) -> None:
    rows = [(max(one, other), min(one, other), times) for one, other, times in clusters]
    bands = purity(*np.array(rows, np.int64).reshape(-1, 3).T)
    assert [band.least for band in bands] == list(BANDS)
    assert sum(band.clusters for band in bands) == sum(times for *_, times in rows)
    for band in bands:
        inside = [row for row in rows if band.least <= row[0] <= (band.most or 10**9)]
        assert band.faces == sum(size * times for size, _, times in inside)
        pure = sum(largest * times for _, largest, times in inside)
        assert band.purity == (pytest.approx(pure / band.faces) if inside else None)


def test_extremes() -> None:
    names = np.array(["a", "b", "b"])
    assert bcubed(names, np.array([5, 7, 7])) == pairwise(names, np.array([5, 7, 7])) == (1.0, 1.0, 1.0)
    assert bcubed(names, np.array([1, 2, 3])).precision == 1.0
    assert pairwise(names, np.array([1, 2, 3])).f == 0.0
    assert bcubed(np.array([]), np.array([])) == pairwise(np.array([]), np.array([])) == (1.0, 1.0, 1.0)
    assert contingency(np.array([]), np.array([])).mutual_information() == 1.0

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics.cluster import pair_confusion_matrix

from facesieve.kernels.agreement import bcubed, pairwise

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


def test_extremes() -> None:
    names = np.array(["a", "b", "b"])
    assert bcubed(names, np.array([5, 7, 7])) == pairwise(names, np.array([5, 7, 7])) == (1.0, 1.0, 1.0)
    assert bcubed(names, np.array([1, 2, 3])).precision == 1.0
    assert pairwise(names, np.array([1, 2, 3])).f == 0.0
    assert bcubed(np.array([]), np.array([])) == pairwise(np.array([]), np.array([])) == (1.0, 1.0, 1.0)

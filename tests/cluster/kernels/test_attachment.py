from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facesieve.cluster.kernels.attachment import accepted, admission, p_values, permitted, share_of_impostors


@given(
    null=st.lists(st.tuples(st.integers(0, 6), st.integers(0, 4)), min_size=1, max_size=40),
    asked=st.lists(st.integers(-1, 7), min_size=1, max_size=10),
)
def test_p_values_are_exact_shares_of_clusters(null: list[tuple[int, int]], asked: list[int]) -> None:
    values, of = (np.array(column) for column in zip(*null, strict=True))
    expected = []
    for each in asked:
        shares = [
            Fraction(int((values[of == cluster] >= each).sum()), int((of == cluster).sum())) for cluster in set(of)
        ]
        expected.append(float((1 + sum(shares)) / (len(shares) + 1)))
    result = p_values(np.array(asked, float), values.astype(float), of)
    assert result.tolist() == pytest.approx(expected, rel=1e-12)
    order = np.random.default_rng(0).permutation(len(of))
    assert p_values(np.array(asked, float), values[order].astype(float), of[order]).tobytes() == result.tobytes()


@given(p=st.lists(st.integers(1, 100), min_size=1, max_size=60), share=st.floats(0, 1.5))
def test_accepted_is_the_last_that_passes(p: list[int], share: float) -> None:
    values = sorted(each / 100 for each in p)
    last = max((k for k, each in enumerate(values, 1) if each <= share * k / len(values)), default=0)
    below = [each for each in values[:last] if len(values) >= 20 or each <= 0.05]
    assert accepted(np.array(values), share) == (below[-1] if below else None)


def test_all_below_the_last_that_passes_are_accepted() -> None:
    p = np.array([0.06] * 2 + [0.07] * 19)
    assert accepted(p, 0.07) == 0.07
    assert accepted(p, 0.069) is None


@pytest.mark.parametrize(("above", "share"), [(0, 0.02), (10, 0.22), (49, 1.0), (100, 1.0)])
def test_share_of_impostors(above: int, share: float) -> None:
    assert share_of_impostors(np.array([0.5] * (100 - above) + [0.51] * above)) == pytest.approx(share)


def test_impostors_stay_and_friends_join() -> None:
    draw = np.random.default_rng(0)
    of = np.repeat(np.arange(40), 10)
    null = draw.normal(0.2, 0.05, len(of))
    impostors, friends = draw.normal(0.2, 0.05, 300), np.full(200, 0.6)
    nobody, p = admission(impostors, null, of, 0.1)
    assert nobody.pi0 is not None
    assert nobody.pi0 > 0.8
    assert not nobody.joins.any()
    assert (nobody.reason or "").startswith("none_accepted: ")
    assert np.quantile(p, 0.5) == pytest.approx(0.5, abs=0.1)
    some, p = admission(np.concatenate([friends, impostors]), null, of, 0.1)
    assert some.joins[:200].all()
    assert 1 <= some.joins[200:].sum() <= 30
    assert some.p == p[some.joins].max() < p[~some.joins].min()
    assert some.reason is None


@pytest.mark.parametrize(
    ("leftovers", "of", "reason"),
    [
        (0, np.arange(60) % 5, "no_leftovers"),
        (30, np.arange(60) % 2, "few_clusters"),
        (30, np.arange(49) % 5, "few_faces"),
        (30, np.zeros(0, int), "few_clusters"),
    ],
)
def test_too_little_is_known(leftovers: int, of: np.ndarray, reason: str) -> None:
    result, p = admission(np.full(leftovers, 0.9), np.full(len(of), 0.1), of, 0.5)
    assert not result.joins.any()
    assert (result.pi0, result.p) == (None, None)
    assert (result.reason or "").startswith(reason + ": ")
    assert len(result.joins) == len(p) == leftovers


def test_forbidden_ones_do_not_meet() -> None:
    clusters, targets = np.array([1, 2, 3, 4, 5]), np.array([90, 90, 90, 91, 91])
    p = np.array([0.2, 0.1, 0.2, 0.3, 0.3])
    assert permitted(clusters, targets, p, np.zeros((0, 2), np.int64)).all()
    # 2 comes first, so 1 stays; 3 may not join 90; 4 and 5 tie and the smaller id comes first; 2 and 4 never meet.
    forbidden = np.array([[1, 2], [90, 3], [5, 4], [2, 4]])
    assert permitted(clusters, targets, p, forbidden).tolist() == [False, True, False, True, False]
    # One that stays out stands in nobody's way.
    assert permitted(clusters, targets, p, np.array([[2, 90], [2, 1]])).tolist() == [True, False, True, True, True]

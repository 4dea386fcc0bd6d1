"""Spreads of cosines against counting, mixtures taken apart, and rates against their inverse."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facesieve.assess.kernels.calibration import (
    BINS,
    EDGES,
    Spread,
    across,
    cosine_at,
    false_match,
    impostor_share,
    unmixed,
    within,
)
from facesieve.faces.vectors import half_unit
from facesieve.link.kernels.impostor_line import Line

LINE = Line(0.04, 0.16, "identities", 1)
BIN = 2 / BINS


def _people(seed: int, faces: int = 40, people: int = 6) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(faces, 8)).astype(np.float16), rng.integers(-3, people - 3, faces)


def _normal(mean: float, deviation: float, count: int, seed: int) -> np.ndarray:
    return np.clip(np.random.default_rng(seed).normal(mean, deviation, count), -1, 1)


def _spread(cosines: np.ndarray) -> Spread:
    below = np.searchsorted(np.sort(cosines), EDGES) / len(cosines)
    return Spread(np.append(below[:-1], 1.0), len(cosines))


@given(st.integers(0, 50), st.floats(-0.99, 0.99))
def test_spreads_equal_counting(seed: int, cosine: float) -> None:
    vectors, people = _people(seed)
    rows = half_unit(vectors)
    pairs = [(people[i], people[j], float(rows[i] @ rows[j])) for i, j in combinations(range(len(rows)), 2)]
    apart = np.array([value for one, other, value in pairs if one != other])
    found = across(vectors, people)
    assert found.pairs == len(apart)
    assert _close(found, [(apart, 1.0)], cosine)
    by_person = [np.array([value for a, b, value in pairs if a == b == person]) for person in set(people.tolist())]
    by_person = [values for values in by_person if len(values)]
    alike = within(vectors, people)
    assert alike.pairs == sum(map(len, by_person))
    assert _close(alike, [(values, 1 / len(by_person)) for values in by_person], cosine)


def _close(found: Spread, parts: list[tuple[np.ndarray, float]], cosine: float) -> bool:
    """Within the bin that a cosine falls into, counting and interpolation may differ."""
    low, high = (sum(w * float((v < cosine + move).mean()) for v, w in parts) for move in (-2 * BIN, 2 * BIN))
    return low - 1e-9 <= found.share_below(cosine) <= high + 1e-9


def test_spreads_do_not_depend_on_the_order_of_faces() -> None:
    vectors, people = _people(1, faces=700, people=50)
    order = np.random.default_rng(2).permutation(len(people))
    for measured in (across, within):
        one, other = measured(vectors, people), measured(vectors[order], people[order])
        assert one.pairs == other.pairs
        assert one.below == pytest.approx(other.below, abs=1e-12)


@given(st.lists(st.floats(0.001, 1), min_size=1, max_size=5))
def test_quantiles_invert_shares(shares: list[float]) -> None:
    spread = _spread(np.repeat([-0.5, 0.2, 0.9], [1, 2, 3]) + np.linspace(0, 0.1, 6))
    for share, cosine in zip(shares, spread.quantiles(shares), strict=True):
        assert spread.share_below(cosine) == pytest.approx(share, abs=1e-9)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.3, 0.6])
def test_strangers_are_taken_out_of_folders(share: float) -> None:
    impostors, same = _normal(0.04, 0.15, 200_000, 1), _normal(0.76, 0.11, 50_000, 2)
    planted = _normal(0.04, 0.15, round(50_000 * share / (1 - share)), 3)
    folders, apart = _spread(np.concatenate([same, planted])), _spread(impostors)
    assert impostor_share(folders, apart) == pytest.approx(share, abs=0.01)
    left = unmixed(folders, apart)
    assert left.quantiles([0.1, 0.5, 0.9]) == pytest.approx(np.quantile(same, [0.1, 0.5, 0.9]), abs=0.02)
    assert np.all(np.diff(left.below) >= 0)
    assert (left.below[0], left.below[-1]) == (0, 1)


def test_folders_of_strangers_alone_are_refused() -> None:
    impostors = _spread(_normal(0, 0.1, 10_000, 1))
    with pytest.raises(ValueError, match="100%"):
        unmixed(impostors, impostors)


def test_rates_and_cosines() -> None:
    for rate in (0.1, 0.01, 1e-6):
        assert false_match(cosine_at(rate, LINE), LINE) == pytest.approx(rate)
    assert cosine_at(0.5, LINE) == pytest.approx(LINE.intercept)


def test_nothing_to_count() -> None:
    alone = np.arange(3), np.eye(3, dtype=np.float16)
    assert within(alone[1], alone[0]).pairs == 0
    assert across(alone[1][:0], alone[0][:0]).pairs == 0

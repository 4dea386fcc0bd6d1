"""Units of thresholds, and strangers per face."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facesieve.kernels.thresholds import link_cosine, strangers_at, to_cosine

FACENET = (0.038, 0.161)


@given(st.floats(0.001, 0.999))
def test_each_unit_says_the_same_angle(cosine):
    a, b = np.array([1.0, 0.0]), np.array([cosine, math.sqrt(1 - cosine**2)])
    l2 = float(np.linalg.norm(a - b))
    for value, unit in ((cosine, "cosine"), (l2, "l2"), (l2**2, "squared_l2"), (1 / l2, "inverse_l2")):
        assert to_cosine(value, unit) == pytest.approx(cosine, abs=1e-9)


def test_the_seed_scripts_rule():
    assert to_cosine(0.75, "inverse_l2") == pytest.approx(0.111, abs=1e-3)


@pytest.mark.parametrize(
    ("value", "unit"),
    [
        (1.0, "cosine"),
        (0.0, "cosine"),
        (math.nan, "cosine"),
        (-0.1, "l2"),
        (1.5, "l2"),
        (0.0, "l2"),
        (2.0, "squared_l2"),
        (0.7, "inverse_l2"),
        (0.0, "inverse_l2"),
        (-2.0, "inverse_l2"),
        (math.inf, "inverse_l2"),
        (math.inf, "l2"),
        (1e-200, "inverse_l2"),
    ],
)
def test_a_value_outside_is_refused_and_told_the_range(value, unit):
    with pytest.raises(ValueError, match=rf"\({unit}\) is not a cosine .* in {unit} use a value (from|above) 0"):
        to_cosine(value, unit)


def test_an_unknown_unit_is_refused():
    with pytest.raises(ValueError, match="'euclidean' is not a unit, use one of cosine, l2, squared_l2, inverse_l2"):
        to_cosine(1.0, "euclidean")


def test_links_of_lfw_and_of_a_million_faces():
    assert link_cosine(*FACENET, 3, 1_000_000, 1_000) == pytest.approx(0.767, abs=2e-3)
    assert link_cosine(*FACENET, 3, 10, 1_000) == link_cosine(*FACENET, 3, 1_000, 1_000)


@given(st.floats(0.01, 300), st.integers(1_000, 10_000_000))
def test_strangers_at_is_the_inverse(strangers, faces):
    cosine = link_cosine(*FACENET, strangers, faces, 1_000)
    assert strangers_at(cosine, *FACENET, faces, 1_000) == pytest.approx(strangers, rel=1e-6)


@pytest.mark.parametrize("strangers", [700.0, 1_000.0, 5_000.0, 1e-9])
def test_a_tolerance_that_gives_no_cosine_says_which_would(strangers):
    with pytest.raises(ValueError, match=r"link\.strangers above .* would do") as caught:
        link_cosine(*FACENET, strangers, 500, 1_000)
    low, high = (float(word) for word in re.findall(r"(?:above|below) (\S+)", str(caught.value)))
    assert low < high
    assert 0 < link_cosine(*FACENET, high * 0.99, 500, 1_000) < link_cosine(*FACENET, low * 1.01, 500, 1_000) < 1

"""Units of thresholds, and false matches per face."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facesieve.link.kernels.thresholds import false_matches_at, from_cosine, link_cosine, to_cosine

FACENET = (0.038, 0.161)
UNITS = ("cosine", "l2", "squared_l2", "inverse_l2")
LOOSER_IF_LARGER = ("l2", "squared_l2")

cosines = st.floats(1e-6, 1 - 1e-6)
lines = st.tuples(st.floats(-0.3, 0.3), st.floats(0.02, 0.3))


@given(st.floats(0.001, 0.999))
def test_each_unit_says_the_same_angle(cosine: float) -> None:
    a, b = np.array([1.0, 0.0]), np.array([cosine, math.sqrt(1 - cosine**2)])
    l2 = float(np.linalg.norm(a - b))
    for value, unit in ((cosine, "cosine"), (l2, "l2"), (l2**2, "squared_l2"), (1 / l2, "inverse_l2")):
        assert to_cosine(value, unit) == pytest.approx(cosine, abs=1e-9)


@pytest.mark.parametrize(
    ("value", "unit", "cosine"),
    [
        (0.75, "inverse_l2", 1 - 1 / (2 * 0.75**2)),
        (1.0, "inverse_l2", 0.5),
        (2.0, "inverse_l2", 0.875),
        (1.0, "l2", 0.5),
        (1.25, "l2", 0.21875),
        (0.5, "l2", 0.875),
        (1.0, "squared_l2", 0.5),
        (0.3, "squared_l2", 0.85),
        (0.55, "cosine", 0.55),
    ],
)
def test_conversions_are_exact(value: float, unit: str, cosine: float) -> None:
    assert to_cosine(value, unit) == pytest.approx(cosine, rel=1e-15)


@given(cosines, st.sampled_from(UNITS))
def test_there_and_back(cosine: float, unit: str) -> None:
    assert to_cosine(from_cosine(cosine, unit), unit) == pytest.approx(cosine, abs=4e-16)


@given(cosines, cosines, st.sampled_from(UNITS))
def test_a_stricter_value_is_a_greater_cosine(first: float, second: float, unit: str) -> None:
    low, high = sorted(from_cosine(cosine, unit) for cosine in (first, second))
    loose, strict = (high, low) if unit in LOOSER_IF_LARGER else (low, high)
    assert to_cosine(loose, unit) <= to_cosine(strict, unit)


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -0.1, -2.0, 0.0, 1e200, 1e9])
def test_no_number_of_any_unit_but_a_cosine_strictly_between_0_and_1(value: float, unit: str) -> None:
    with pytest.raises(ValueError, match=rf"\({unit}\) is not a cosine strictly between 0 and 1"):
        to_cosine(value, unit)


@pytest.mark.parametrize(
    ("value", "unit"),
    [
        (1.0, "cosine"),
        (1e-200, "l2"),
        (1e-320, "squared_l2"),
        (1e-320, "inverse_l2"),
        (1.4143, "l2"),
        (1.5, "l2"),
        (2.0, "squared_l2"),
        (0.7071, "inverse_l2"),
        (0.5, "inverse_l2"),
    ],
)
def test_a_value_outside_is_told_values_that_would_do(value: float, unit: str) -> None:
    with pytest.raises(ValueError, match=rf"in {unit} a value from \S+ to \S+ would do") as caught:
        to_cosine(value, unit)
    low, high = (float(word) for word in re.findall(r"(?:from|to) (\d\S*)", str(caught.value)))
    assert not low <= value <= high
    for value_in_range in (low, high, (low + high) / 2):
        assert 0 < to_cosine(value_in_range, unit) < 1


@pytest.mark.parametrize("convert", [to_cosine, from_cosine])
def test_an_unknown_unit_is_refused(convert: Callable[[float, str], float]) -> None:
    with pytest.raises(ValueError, match="'euclidean' is not a unit, use one of cosine, l2, squared_l2, inverse_l2"):
        convert(0.5, "euclidean")


@pytest.mark.parametrize("cosine", [0.0, 1.0, -0.5, 2.0, math.nan, math.inf])
def test_only_a_cosine_between_0_and_1_is_written_in_other_units(cosine: float) -> None:
    with pytest.raises(ValueError, match="is not a cosine strictly between 0 and 1"):
        from_cosine(cosine, "inverse_l2")


def test_links_of_lfw_and_of_a_million_faces() -> None:
    assert link_cosine(*FACENET, 3, 1_000_000, 1_000) == pytest.approx(0.767, abs=2e-3)
    assert link_cosine(*FACENET, 3, 10, 1_000) == link_cosine(*FACENET, 3, 1_000, 1_000)


@given(st.integers(-5, 1_000))
def test_there_are_never_fewer_faces_than_the_least(faces: int) -> None:
    assert link_cosine(*FACENET, 3, faces, 1_000) == link_cosine(*FACENET, 3, 1_000, 1_000)
    assert false_matches_at(0.5, *FACENET, faces, 1_000) == false_matches_at(0.5, *FACENET, 1_000, 1_000)


# Below 0.05 impostors among ten million faces there is no cosine under 1 to link at.
@given(st.floats(0.05, 300), st.integers(1_000, 10_000_000))
def test_false_matches_at_is_the_inverse(impostors: float, faces: int) -> None:
    cosine = link_cosine(*FACENET, impostors, faces, 1_000)
    assert false_matches_at(cosine, *FACENET, faces, 1_000) == pytest.approx(impostors, rel=1e-6)


@given(lines, cosines, cosines, st.integers(1_000, 10_000_000))
def test_a_greater_cosine_lets_fewer_impostors_in_and_more_faces_bring_more(
    line: tuple[float, float], first: float, second: float, faces: int
) -> None:
    low, high = sorted((first, second))
    assert false_matches_at(high, *line, faces, 1_000) <= false_matches_at(low, *line, faces, 1_000)
    assert false_matches_at(low, *line, faces, 1_000) <= false_matches_at(low, *line, 2 * faces, 1_000)


def test_the_far_tail_is_not_rounded_away() -> None:
    assert false_matches_at(0.9, 0.0, 0.1, 10**9, 1_000) == pytest.approx(1.1285884e-10, rel=1e-6)


@pytest.mark.parametrize("impostors", [700.0, 1_000.0, 5_000.0, 1e-9, 0.0, -3.0, math.nan, math.inf])
def test_a_tolerance_that_gives_no_cosine_says_which_would(impostors: float) -> None:
    with pytest.raises(ValueError, match=r"link\.false_matches above .* would do") as caught:
        link_cosine(*FACENET, impostors, 500, 1_000)
    low, high = (float(word) for word in re.findall(r"(?:above|below) (\S+)", str(caught.value)))
    assert low < high
    assert 0 < link_cosine(*FACENET, high * 0.99, 500, 1_000) < link_cosine(*FACENET, low * 1.01, 500, 1_000) < 1


@given(lines, st.floats(1e-6, 1_000), st.integers(1, 10_000_000))
def test_whatever_is_derived_lies_strictly_between_0_and_1(
    line: tuple[float, float], impostors: float, faces: int
) -> None:
    bounds = [false_matches_at(bound, *line, faces, 1_000) for bound in (1.0, 0.0)]
    if bounds[0] * 1.001 < impostors < bounds[1] * 0.999:
        assert 0 < link_cosine(*line, impostors, faces, 1_000) < 1
    elif not bounds[0] * 0.999 < impostors < bounds[1] * 1.001:
        with pytest.raises(ValueError, match="would do"):
            link_cosine(*line, impostors, faces, 1_000)

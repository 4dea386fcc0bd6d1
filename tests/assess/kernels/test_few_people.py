"""The line of few people, against random vectors whose impostors are known, and its interval."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facesieve.assess.kernels.calibration import cosine_at
from facesieve.assess.kernels.few_people import FEWEST, line_of_few

DIMENSION, RATE = 64, 0.01
TRUE = 2.326 / DIMENSION**0.5


def people(count: int, each: int, seed: int, spread: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Faces about a random middle per person: float16 [count * each, DIMENSION], codes."""
    rng = np.random.default_rng(seed)
    middles = rng.normal(size=(count, 1, DIMENSION))
    faces = middles + spread * rng.normal(size=(count, each, DIMENSION))
    return faces.reshape(-1, DIMENSION).astype(np.float16), np.repeat(np.arange(count), each)


def test_the_interval_mostly_holds_the_true_cosine_and_narrows_with_people() -> None:
    widths = {}
    for count in (5, 11):
        lines = [line_of_few(*people(count, 10, seed), RATE) for seed in range(40)]
        assert all(line is not None for line in lines)
        sure = [line for line in lines if line is not None]
        assert sum(line.low < TRUE < line.high for line in sure) >= 30
        widths[count] = np.median([line.high - line.low for line in sure])
    assert widths[11] < 0.7 * widths[5]


@pytest.mark.parametrize("count", [0, 1, FEWEST - 1])
def test_below_five_people_nothing_is_told(count: int) -> None:
    assert line_of_few(*people(count, 3, 0), RATE) is None


@given(st.permutations(range(30)))
def test_the_order_of_faces_and_the_names_of_people_do_not_matter(order: list[int]) -> None:
    vectors, codes = people(6, 5, 1)
    line, other = line_of_few(vectors, codes, RATE), line_of_few(vectors[order], codes[order] + 100, RATE)
    assert line is not None
    assert other == line
    assert line.low < cosine_at(RATE, line.line) < line.high

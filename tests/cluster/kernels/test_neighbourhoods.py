"""Closed neighbourhoods: the strongest neighbours, and the gains of their cosines."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from facesieve.cluster.kernels.neighbourhoods import gain, hoods

LINE = 0.3


def test_ties_go_to_the_smaller_id() -> None:
    result = hoods(np.zeros(3, np.int64), np.array([5, -7, 6]), np.full(3, 0.5, np.float32), LINE, 2)
    assert result.others.tolist() == [0, -7, 5]


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 9), st.sampled_from([-1.0, -0.5, -0.0, 0.0, 0.5])), max_size=40
    )
)
def test_the_strongest_come_first_whatever_their_sign(rows: list[tuple[int, int, float]]) -> None:
    rows = sorted({(owner, other): (owner, other, cosine) for owner, other, cosine in rows}.values())
    owners, others, cosines = (
        np.array([row[n] for row in rows], kind) for n, kind in enumerate((np.int64, np.int64, np.float32))
    )
    closed = hoods(owners, others, cosines, LINE, 4)
    for face, start, size in zip(closed.faces, closed.starts, closed.sizes, strict=True):
        mine = sorted((-cosine, other) for owner, other, cosine in rows if owner == face)
        assert closed.others[start + 1 : start + size].tolist() == [other for _, other in mine[:4]]


def test_gains_are_those_of_float64() -> None:
    cosines = np.linspace(-1, 1, 10_001, dtype=np.float32)
    for line in (0.1, 0.3, 0.6021):
        assert gain(cosines, line).tolist() == [
            math.floor(2**20 * min(1.0, max(0.0, (cosine - line) / (1 - line)))) for cosine in cosines.tolist()
        ]

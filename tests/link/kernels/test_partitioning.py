"""Which cells go to which partition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facesieve.faces.vectors import Indices, unit
from facesieve.link.kernels import cells
from facesieve.link.kernels.partitioning import lay_out


def pivots_of(seed: int, count: int) -> np.ndarray:
    return unit(np.random.default_rng(seed).normal(size=(count, 8))).astype(np.float32)


def base_of(layout: cells.Layout) -> Indices:
    assert layout.base is not None
    return layout.base


@settings(deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 60), st.integers(1, 20), st.booleans())
def test_work_is_even_but_for_a_few_cells(seed: int, count: int, parts: int, equal: bool) -> None:
    """A cut errs by less than one cell's work, and each later cut halves that error at least nearly."""
    work = np.ones(count) if equal else np.random.default_rng(seed).exponential(size=count)
    layout = lay_out(pivots_of(seed, count), np.ones(count), work, parts)
    base = base_of(layout)
    assert layout.parts == parts
    assert len(base) == count
    shares = np.bincount(base, work, parts)
    assert len(shares) == parts
    assert abs(shares - work.sum() / parts).max() < 3 * work.max()


def test_neighbours_stay_together() -> None:
    """Two bundles of pivots that look apart, in mixed order."""
    bundle = np.arange(40) % 2
    pivots = unit(np.eye(8)[bundle] + 0.2 * pivots_of(0, 40)).astype(np.float32)
    base = base_of(lay_out(pivots, np.ones(40), np.ones(40), 2))
    assert (base == (bundle if base[1] else 1 - bundle)).all()


@pytest.mark.parametrize("pivots", [np.ones((5, 3), np.float32), np.eye(5, dtype=np.float32)])
def test_pivots_without_a_direction_are_cut_too(pivots: np.ndarray) -> None:
    assert sorted(base_of(lay_out(pivots, np.ones(5), np.ones(5), 5)).tolist()) == [0, 1, 2, 3, 4]
    assert set(base_of(lay_out(pivots, np.ones(5), np.zeros(5), 3))) <= {0, 1, 2}


def test_the_same_pivots_have_the_same_layout() -> None:
    layouts = [base_of(lay_out(pivots_of(1, 50), np.ones(50), np.arange(50.0), 7)).tolist() for _ in range(2)]
    assert layouts[0] == layouts[1]


def test_large_cells_are_cut_and_their_pieces_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "MOST_RESIDENTS", 10)
    layout = lay_out(pivots_of(0, 4), np.array([1.0, 25.0, 10.0, 41.0]), np.ones(4), 2)
    assert layout.cut.cells.tolist() == [1, 3]
    assert layout.cut.pieces.tolist() == [3, 5]
    assert set(layout.part(np.full(5, 3), np.arange(5)).tolist()) == {0, 1}

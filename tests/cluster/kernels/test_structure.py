"""The structure score against its definition, read off face by face in plain integers and fractions."""

from __future__ import annotations

import math
from collections import defaultdict
from fractions import Fraction
from unittest import mock

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facesieve.cluster.kernels import structure
from facesieve.cluster.kernels.neighbourhoods import hoods, united
from facesieve.cluster.kernels.structure import least_vote, scores

LINE = 0.3

Pairs = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float32]]


def oracle(pairs: Pairs, line: float, most: int) -> list[int]:
    """Score each edge from the definition: dictionaries, one edge at a time."""
    src, dst, cosines = pairs
    near: defaultdict[int, list[tuple[float, int]]] = defaultdict(list)
    for a, b, cosine in zip(src.tolist(), dst.tolist(), cosines.tolist(), strict=True):
        near[a].append((-cosine, b))
        near[b].append((-cosine, a))
    hood = {
        face: {face: 2**20} | {other: _gain(-minus, line) for minus, other in sorted(mine)[:most]}
        for face, mine in near.items()
    }
    integers = []
    for a, b, cosine in zip(src.tolist(), dst.tolist(), cosines.tolist(), strict=True):
        gains = [(hood[a].get(x, 0), hood[b].get(x, 0)) for x in set(hood[a]) | set(hood[b])]
        overlap = math.floor(Fraction(2**20 * sum(map(min, gains)), sum(map(max, gains))))
        integers.append((_gain(cosine, line) + overlap) // 2)
    return integers


def _gain(cosine: float, line: float) -> int:
    return math.floor(2**20 * min(1.0, max(0.0, (cosine - line) / (1 - line))))


def random_edges(seed: int, faces: int, share: float, levels: int) -> Pairs:
    """A random graph over ids of either sign, each pair once, its ends in either order, with many equal cosines."""
    rng = np.random.default_rng(seed)
    ids = rng.choice(np.arange(-(10**12), 10**12, 10**9), faces, replace=False)
    first, second = np.triu_indices(faces, 1)
    chosen = rng.permutation(np.flatnonzero(rng.random(len(first)) < share))
    cosines = (0.25 + 0.75 * rng.integers(0, levels, len(chosen)) / levels).astype(np.float32)
    return ids[first[chosen]], ids[second[chosen]], cosines


def _scored(pairs: Pairs, most: int) -> list[int]:
    src, dst, cosines = pairs
    closed = hoods(np.append(src, dst), np.append(dst, src), np.append(cosines, cosines), LINE, most)
    scored: list[int] = scores(src, dst, cosines, LINE, closed).tolist()
    return scored


graphs = st.builds(
    random_edges,
    st.integers(0, 10_000),
    st.integers(2, 14),
    st.sampled_from([0.1, 0.4, 1.0]),
    st.sampled_from([1, 3, 99]),
)


@settings(max_examples=150, deadline=None)
@given(edges=graphs, most=st.integers(1, 6) | st.just(100))
@pytest.mark.parametrize("many", [1, 3, 1_000])
def test_it_is_its_definition(edges: Pairs, most: int, many: int) -> None:
    with mock.patch.object(structure, "_MANY", many):
        assert _scored(edges, most) == oracle(edges, LINE, most)


@pytest.mark.parametrize("limit", [1, 50, 1_000])
def test_it_does_not_depend_on_the_portions(monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    edges = random_edges(1, 60, 0.4, 5)
    whole = _scored(edges, 10)
    monkeypatch.setattr(structure, "_COMPARED", limit)
    monkeypatch.setattr(structure, "_AN_OWNER", 1)
    monkeypatch.setattr(structure, "_AT_ONCE", limit)
    assert _scored(edges, 10) == whole == oracle(edges, LINE, 10)


def test_a_face_without_the_other_in_its_neighbourhood_still_scores() -> None:
    """The weakest edge of a crowded face is outside its neighbourhood, but scored."""
    pairs = np.array([1, 1, 1]), np.array([2, 3, 4]), np.array([0.9, 0.8, 0.65], np.float32)
    assert _scored(pairs, 2) == oracle(pairs, LINE, 2)


def test_a_hub_is_cheap() -> None:
    leaves = np.arange(1, 100_001)
    hub, cosines = np.zeros(len(leaves), np.int64), np.full(len(leaves), 0.5, np.float32)
    closed = hoods(np.append(hub, leaves), np.append(leaves, hub), np.append(cosines, cosines), LINE, 200)
    assert closed.sizes.max() == 201
    g = _gain(0.5, LINE)
    inside = (g + 2**20 * 2 * g // (2**20 + g + 2**20 + 200 * g - 2 * g)) // 2
    outside = (g + 2**20 * g // (2**20 + g + 2**20 + 200 * g - g)) // 2
    result = scores(hub, leaves, cosines, LINE, closed)
    assert (result == np.where(leaves <= 200, inside, outside)).all()


def test_no_edges_no_scores() -> None:
    none, nothing = np.zeros(0, np.int64), np.zeros(0, np.float32)
    closed = hoods(none, none, nothing, LINE, 3)
    assert scores(none, none, nothing, LINE, united([closed, closed])).tolist() == []


def test_united_parts_are_the_whole() -> None:
    src, dst, cosines = random_edges(2, 30, 0.4, 5)
    whole = hoods(np.append(src, dst), np.append(dst, src), np.append(cosines, cosines), LINE, 4)
    rows = np.arange(len(whole.faces))
    parts = [whole.take(rows[3:]), whole.take(rows[:9]), whole.take(rows[20:21])]
    assert scores(src, dst, cosines, LINE, united(parts)).tolist() == oracle((src, dst, cosines), LINE, 4)


def test_the_least_vote_is_at_or_above_the_cut() -> None:
    assert [least_vote(cut) for cut in (0.0, 2.0**-21, 0.27, 1.0)] == [0, 1, 283_116, 2**20]

"""Near duplicates: differences of hashes, and who is kept, against the plain walk."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facesieve.decide.kernels import duplicates
from facesieve.decide.kernels.duplicates import leaders, least_difference, lone_pairs

Pairs = list[tuple[int, int]]
Graph = tuple[list[int], Pairs]

IDS = st.lists(st.integers(-(2**63), 2**63 - 1), unique=True, max_size=12)


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Image ids in their order, and pairs of different ones, some of them more than once."""
    images = draw(IDS)
    if len(images) < 2:
        return images, []
    pair = st.tuples(st.sampled_from(images), st.sampled_from(images)).filter(lambda ends: ends[0] != ends[1])
    return images, draw(st.lists(pair, max_size=20))


def led(images: list[int], pairs: Pairs) -> dict[int, int]:
    ends = np.array(pairs, np.int64).reshape(-1, 2)
    return dict(zip(images, leaders(np.array(images, np.int64), ends[:, 0], ends[:, 1]).tolist(), strict=True))


def plain(images: list[int], pairs: Pairs) -> dict[int, int]:
    near = {frozenset(pair) for pair in pairs}
    best: list[int] = []
    leader: dict[int, int] = {}
    for image in images:
        leader[image] = next((better for better in best if frozenset((better, image)) in near), image)
        if leader[image] == image:
            best.append(image)
    return leader


@given(graphs())
def test_leaders_are_those_of_the_plain_walk(graph: Graph) -> None:
    assert led(*graph) == plain(*graph)


@given(graphs())
def test_the_kept_are_apart_and_whoever_follows_is_near_a_better_one(graph: Graph) -> None:
    images, pairs = graph
    leader, near = led(images, pairs), {frozenset(pair) for pair in pairs}
    leaders_of = {image for image in images if leader[image] == image}
    assert not [pair for pair in near if pair <= leaders_of]
    for image in set(images) - leaders_of:
        assert leader[image] in leaders_of
        assert frozenset((image, leader[image])) in near
        assert images.index(leader[image]) < images.index(image)


@given(graphs(), st.randoms())
def test_order_direction_and_repetition_of_pairs_do_not_matter(graph: Graph, chance: random.Random) -> None:
    images, pairs = graph
    shuffled = [pair[::-1] if chance.random() < 0.5 else pair for pair in pairs + pairs[:3]]
    chance.shuffle(shuffled)
    assert led(images, shuffled) == led(images, pairs)


def test_a_chain_does_not_pull_what_is_not_near() -> None:
    assert led([1, 2, 3, 4], [(1, 2), (2, 3), (3, 4)]) == {1: 1, 2: 1, 3: 3, 4: 3}


@pytest.mark.parametrize("width", [1, 32])
@given(chance=st.integers(0, 2**32))
def test_differences_are_the_least_over_the_views(width: int, chance: int) -> None:
    views = np.random.default_rng(chance).integers(0, 256, (2, 4, width), np.uint8)
    wholes = views[::-1, 2]
    bits = np.unpackbits(views, axis=2), np.unpackbits(wholes, axis=1)
    expected = [min(int((view != whole).sum()) for view in every) for every, whole in zip(*bits, strict=True)]
    assert least_difference(views, wholes).tolist() == expected
    assert least_difference(views, views[:, 3]).tolist() == [0, 0]


@pytest.mark.parametrize("width", [2, 16])
@given(chance=st.integers(0, 2**32), count=st.integers(0, 7), most=st.integers(3, 10))
def test_lone_pictures_are_paired_as_in_plain_python(width: int, chance: int, count: int, most: int) -> None:
    draw = np.random.default_rng(chance)
    forms, lone = draw.integers(0, 256, (count, 4, width), np.uint8), draw.random(count) < 0.5
    forms[:, 0, 2:], forms[:, 1, 2:] = forms[:1, 0, 2:], forms[:1, 0, 2:]  # few bits differ in some
    expected = set()
    for one, other in itertools.permutations(range(count), 2):
        bits = [int((np.unpackbits(form) != np.unpackbits(forms[other, 0])).sum()) for form in forms[one]]
        if lone[one] and min(bits) <= most and not (lone[other] and other < one):
            expected.add((one, other, min(bits), bits.index(min(bits))))
    assert {tuple(pair) for pair in lone_pairs(forms[:, 0], forms[:, 1:], lone, most).T.tolist()} == expected


@pytest.mark.parametrize("comparisons", [1, 100])
def test_lone_pictures_are_paired_alike_however_many_are_compared_at_a_time(
    monkeypatch: pytest.MonkeyPatch, comparisons: int
) -> None:
    draw = np.random.default_rng(0)
    forms, lone = draw.integers(0, 4, (30, 4, 8), np.uint8), draw.random(30) < 0.7
    expected = lone_pairs(forms[:, 0], forms[:, 1:], lone, 6)
    monkeypatch.setattr(duplicates, "_COMPARISONS", comparisons)
    assert expected.shape[1] > 30
    assert lone_pairs(forms[:, 0], forms[:, 1:], lone, 6).tolist() == expected.tolist()

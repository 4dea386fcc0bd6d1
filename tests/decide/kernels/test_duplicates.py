import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facesieve.decide.kernels.duplicates import leaders, least_difference

IDS = st.lists(st.integers(-(2**63), 2**63 - 1), unique=True, max_size=12)


@st.composite
def graphs(draw):
    """Image ids in their order, and pairs of different ones, some of them more than once."""
    images = draw(IDS)
    if len(images) < 2:
        return images, []
    pair = st.tuples(st.sampled_from(images), st.sampled_from(images)).filter(lambda ends: ends[0] != ends[1])
    return images, draw(st.lists(pair, max_size=20))


def found(images, pairs):
    ends = np.array(pairs, np.int64).reshape(-1, 2)
    return dict(zip(images, leaders(np.array(images, np.int64), ends[:, 0], ends[:, 1]).tolist(), strict=True))


def plain(images, pairs):
    near = {frozenset(pair) for pair in pairs}
    kept, leader = [], {}
    for image in images:
        leader[image] = next((better for better in kept if frozenset((better, image)) in near), image)
        if leader[image] == image:
            kept.append(image)
    return leader


@given(graphs())
def test_leaders_are_those_of_the_plain_walk(graph) -> None:
    assert found(*graph) == plain(*graph)


@given(graphs())
def test_the_kept_are_apart_and_whoever_follows_is_near_a_better_one(graph) -> None:
    images, pairs = graph
    leader, near = found(images, pairs), {frozenset(pair) for pair in pairs}
    kept = {image for image in images if leader[image] == image}
    assert not [pair for pair in near if pair <= kept]
    for image in set(images) - kept:
        assert leader[image] in kept
        assert frozenset((image, leader[image])) in near
        assert images.index(leader[image]) < images.index(image)


@given(graphs(), st.randoms())
def test_order_direction_and_repetition_of_pairs_do_not_matter(graph, chance) -> None:
    images, pairs = graph
    shuffled = [pair[::-1] if chance.random() < 0.5 else pair for pair in pairs + pairs[:3]]
    chance.shuffle(shuffled)
    assert found(images, shuffled) == found(images, pairs)


def test_a_chain_does_not_pull_what_is_not_near() -> None:
    assert found([1, 2, 3, 4], [(1, 2), (2, 3), (3, 4)]) == {1: 1, 2: 1, 3: 3, 4: 3}


@pytest.mark.parametrize("width", [1, 32])
@given(chance=st.integers(0, 2**32))
def test_differences_are_the_least_over_the_views(width: int, chance: int) -> None:
    views = np.random.default_rng(chance).integers(0, 256, (2, 4, width), np.uint8)
    wholes = views[::-1, 2]
    bits = np.unpackbits(views, axis=2), np.unpackbits(wholes, axis=1)
    expected = [min(int((view != whole).sum()) for view in one) for one, whole in zip(*bits, strict=True)]
    assert least_difference(views, wholes).tolist() == expected
    assert least_difference(views, views[:, 3]).tolist() == [0, 0]

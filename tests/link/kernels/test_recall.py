"""True edges of a few faces, and the ratio estimator of recall."""

from __future__ import annotations

import numpy as np
import pytest
from factories import faces
from hypothesis import given, settings
from hypothesis import strategies as st

from facesieve.faces import vectors as faces_vectors
from facesieve.faces.hashing import id_hash
from facesieve.faces.vectors import pair_cosine
from facesieve.link.kernels import recall
from facesieve.link.kernels.recall import Neighbours, enough_faces, ratio_interval


def test_faces_are_added_until_a_thousand_edges() -> None:
    assert enough_faces(np.full(5_000, 1)) == 1_000
    assert enough_faces(np.full(5_000, 0)) == 5_000
    assert enough_faces(np.full(5_000, 10)) == 500
    assert enough_faces(np.array([2_000, 1])) == 2
    assert enough_faces(np.array([3, 0, 3])) == 3
    assert enough_faces(np.empty(0, np.int64)) == 0


def test_below_fifty_edges_recall_is_unknown() -> None:
    assert ratio_interval(np.array([49]), np.array([49]), 0) is None
    assert ratio_interval(np.empty(0, np.int64), np.empty(0, np.int64), 0) is None
    assert ratio_interval(np.array([50]), np.array([50]), 0) == (1.0, 1.0, 1.0)


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for seed in range(100):
        true = rng.integers(1, 40, size=80)
        interval = ratio_interval(rng.binomial(true, 0.9), true, seed)
        assert interval is not None
        _, low, high = interval
        covered += low <= 0.9 <= high
    assert covered >= 88


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.integers(1, 25), st.integers(1, 40), st.integers(1, 12))
def test_neighbours_do_not_depend_on_blocks_nor_order(seed: int, few: int, block: int, partners: int) -> None:
    """The faces come block by block; some partners come from another task."""
    ids, _, vectors = faces(3, 20, seed, dimension=6)
    halves, order = vectors.astype(np.float16), np.random.default_rng(seed).permutation(60)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recall, "PARTNERS", partners)
        patch.setattr(faces_vectors, "ROWS", 7)
        patch.setattr(faces_vectors, "COLUMNS", 9)
        mine, theirs = (Neighbours(ids[:few], halves[:few], 0.6) for _ in range(2))
        for start in range(0, 60, block):
            rows = order[start : start + block]
            (mine if start % 2 else theirs).add(ids[rows], halves[rows])
        mine.degrees += theirs.degrees
        mine.remember(*theirs.partners())
        of, others, remembered = mine.partners()
    for face in range(few):
        cosines = pair_cosine(np.repeat(halves[face : face + 1], 60, axis=0), halves)
        near = ids[(cosines >= 0.6) & (ids != ids[face])]
        assert mine.degrees[face] == len(near)
        assert others[of == face].tolist() == near[np.argsort(id_hash(near, 0))][:partners].tolist()
    rows = np.argsort(ids)[np.searchsorted(np.sort(ids), others)]
    assert remembered.tobytes() == halves[rows].tobytes()


def test_partners_take_memory_that_does_not_grow_with_the_edges() -> None:
    neighbours = Neighbours(np.arange(2), np.ones((2, 4), np.float16), 0.5)
    sizes = []
    for start in range(0, 20_000, 1_000):
        neighbours.add(np.arange(start, start + 1_000), np.ones((1_000, 4), np.float16))
        sizes.append(sum(len(part[0]) for part in neighbours._partners))
    assert neighbours.degrees.tolist() == [19_999, 19_999]
    assert max(sizes) <= 4 * recall.PARTNERS * 2
    assert len(neighbours.partners()[0]) == 2 * recall.PARTNERS


def test_no_faces_have_no_neighbours() -> None:
    nobody = Neighbours(np.zeros(0, np.int64), np.zeros((0, 4), np.float16), 0.5)
    nobody.add(np.arange(3), np.ones((3, 4), np.float16))
    assert [len(part) for part in nobody.partners()] == [0, 0, 0]

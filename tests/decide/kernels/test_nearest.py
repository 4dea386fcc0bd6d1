"""The nearest face and the speaking face, against brute force."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facesieve.decide.kernels import nearest as module
from facesieve.decide.kernels.nearest import Flags, greatest, nearest, speakers
from facesieve.faces.vectors import Indices, Shorts, medoid, pair_cosine


def brute(ids: Indices, vectors: Shorts, among: Flags) -> list[tuple[int, float]]:
    answers = []
    for i in range(len(ids)):
        others = [j for j in range(len(ids)) if among[j] and j != i]
        cosine = {j: float(pair_cosine(vectors[[i]], vectors[[j]])[0]) for j in others}
        best = min(others, key=lambda j: (-cosine[j], ids[j]), default=-1)
        answers.append((best, cosine.get(best, module.NONE)))
    return answers


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    faces=st.integers(1, 25),
    block=st.sampled_from([1, 3, 7, 64]),
    alike=st.booleans(),
)
def test_nearest_equals_brute_force_whatever_the_blocks(seed: int, faces: int, block: int, alike: bool) -> None:
    draw = np.random.default_rng(seed)
    ties = draw.integers(-1, 2, (faces, 3))
    close_calls = draw.normal(size=64) + 2e-3 * draw.normal(size=(faces, 64))  # cosines differ by less than the margin
    vectors = (close_calls if alike else ties).astype(np.float32)
    ids, among = draw.permutation(faces) - faces // 2, draw.random(faces) < 0.6
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK", block)
        patch.setattr(module, "_ROWS", block)
        patch.setattr(module, "_PAIRS", block)
        row, cosine = nearest(ids, vectors, among)
    assert list(zip(row.tolist(), cosine.tolist(), strict=True)) == brute(ids, vectors, among)


@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 1_000))
@settings(max_examples=30, deadline=None)
def test_the_greatest_cosine_is_that_of_brute_force(asked: int, offered: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    left, right = (rng.integers(-3, 4, (count, 3)) + 0.25 for count in (asked, offered))
    left, right = left.astype(np.float16), right.astype(np.float16)
    rows, cosines = greatest(left, right)
    every = np.stack([pair_cosine(left, np.broadcast_to(row, left.shape)) for row in right], axis=1)
    assert cosines.tolist() == every.max(axis=1).tolist()
    assert rows.tolist() == every.argmax(axis=1).tolist()


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), faces=st.integers(1, 12))
def test_speakers_equal_brute_force(seed: int, faces: int) -> None:
    draw = np.random.default_rng(seed)
    images, ids = draw.integers(0, 5, faces), draw.permutation(faces)
    ranks = np.array([int((images[:i] == images[i]).sum()) for i in range(faces)])
    vectors = draw.integers(0, 3, (faces, 2)).astype(np.float32)
    main = draw.random(faces) < 0.5
    at = np.flatnonzero(main)
    middle = vectors[at[medoid(ids[at], vectors[at])]] if len(at) else np.zeros(2)
    closeness = pair_cosine(vectors, np.tile(middle, (faces, 1)))
    expected = {
        min(np.flatnonzero(images == image), key=lambda row: (-closeness[row], ranks[row])) for image in set(images)
    }
    assert speakers(images, ranks, ids, vectors, main).tolist() == sorted(expected)

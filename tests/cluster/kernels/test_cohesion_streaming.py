from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facesieve.cluster.kernels.cohesion import cohesion
from facesieve.cluster.kernels.cohesion_streaming import streamed_cohesion


@given(st.integers(1, 40), st.sampled_from([1, 3, 64]), st.integers(0, 2**32), st.lists(st.integers(0, 40), max_size=5))
def test_equals_the_held_cluster_to_the_bit(rows: int, dimension: int, seed: int, cuts: list[int]) -> None:
    vectors = np.random.default_rng(seed).normal(size=(rows, dimension)).astype(np.float32)
    vectors[rows // 2] = vectors[0]
    bounds = sorted({0, rows, *(cut for cut in cuts if cut < rows)})
    blocks = [vectors[start:end] for start, end in pairwise(bounds)]
    assert streamed_cohesion(lambda: blocks) == cohesion(np.arange(rows), vectors)


def test_a_cluster_has_a_face() -> None:
    with pytest.raises(ValueError, match="at least one"):
        streamed_cohesion(lambda: [])

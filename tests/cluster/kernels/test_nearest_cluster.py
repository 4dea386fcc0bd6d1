"""The nearest cluster of each face against brute force, among all clusters and among a shortlist."""

from __future__ import annotations

import numpy as np
import pytest
from alike_faces import faces
from hypothesis import given, settings
from hypothesis import strategies as st

from facesieve.cluster.kernels import nearest_cluster as module
from facesieve.cluster.kernels.exemplars import Exemplars, Links, exemplars, links
from facesieve.cluster.kernels.nearest_cluster import NONE, nearest_cluster
from facesieve.faces.vectors import pair_cosine

Barred = set[tuple[int, int]]


def brute(face: int, vector: np.ndarray, own: int, crowd: Exemplars, barred: Barred, most: int) -> tuple[int, float]:
    """Compare with the clusters of the `most` nearest centroids, one by one."""
    free = [at for at in range(len(crowd.clusters)) if own < 0 or (own, at) not in barred]
    towards = {at: float(pair_cosine(crowd.centroids[[at]], vector[None])[0]) for at in free}
    best = (-1, NONE)
    for at in sorted(sorted(free, key=lambda at: -towards[at])[:most]):
        shown = slice(crowd.starts[at], crowd.starts[at + 1])
        rows = crowd.vectors[shown][crowd.faces[shown] != face]
        if not len(rows):
            continue
        cosines = sorted(pair_cosine(rows, np.repeat(vector[None], len(rows), axis=0)).tolist(), reverse=True)[:3]
        near = sum(cosines) / len(cosines)
        if near > best[1]:
            best = (at, near)
    return best


@settings(max_examples=120, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(1, 30),
    people=st.integers(1, 8),
    alike=st.sampled_from(["ties", "close", "plain"]),
    sizes=st.sampled_from([(1, 1, 1), (3, 7, 5), (128, 8_192, 8_192)]),
    most=st.sampled_from([0, 1, 3, 20]),
)
def test_nearest_cluster_equals_brute_force_whatever_the_blocks(
    seed: int, count: int, people: int, alike: str, sizes: tuple[int, int, int], most: int
) -> None:
    """most: the clusters of a shortlist; 0: all are compared."""
    clusters, ids, vectors = faces(seed, count, people, alike)
    crowd = exemplars(clusters, ids, vectors)
    draw = np.random.default_rng(seed + 1)
    own = draw.integers(-1, len(crowd.clusters), count)
    asked = np.where(draw.random(count) < 0.5, ids, 1_000 + ids)  # half of them are exemplars themselves
    with pytest.MonkeyPatch.context() as patch:
        for name, size in zip(("_ASKED", "_OFFERED", "_PAIRS"), sizes, strict=True):
            patch.setattr(module, name, size)
        if most:
            patch.setattr(module, "COMPARED_WITH_ALL", 0)
            patch.setattr(module, "SHORTLIST", most)
        linked = links(crowd, 0.6)
        result, near = nearest_cluster(asked, vectors, own, crowd, linked)
    barred = set(zip(linked.first.tolist(), linked.second.tolist(), strict=True))
    rows = zip(asked.tolist(), vectors, own.tolist(), strict=True)
    expected = [brute(*row, crowd, barred, most or len(crowd.clusters)) for row in rows]
    assert list(zip(result.tolist(), near.tolist(), strict=True)) == expected


def test_a_face_that_may_be_compared_with_nobody() -> None:
    crowd = exemplars(np.array([1, 1]), np.array([1, 2]), np.eye(2, dtype=np.float16))
    asked = np.array([8, 9, 1]), np.eye(2, dtype=np.float16)[[0, 1, 0]], np.array([0, -1, -1])
    result, near = nearest_cluster(*asked, crowd, Links(*np.zeros((2, 1), int)))
    assert result.tolist() == [-1, 0, 0]
    assert near.tolist() == [NONE, 0.5, 0.0]


def test_equal_similarities_go_to_the_smaller_cluster() -> None:
    crowd = exemplars(np.array([9, -4, 2]), np.array([1, 2, 3]), np.ones((3, 2), np.float16))
    asked = np.array([7]), np.ones((1, 2), np.float16), np.array([-1])
    assert nearest_cluster(*asked, crowd, links(crowd, 0.5))[0].tolist() == [0]

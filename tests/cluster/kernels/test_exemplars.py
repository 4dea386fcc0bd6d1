import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facesieve.cluster.kernels import exemplars as module
from facesieve.cluster.kernels.exemplars import NONE, Exemplars, Links, exemplars, links, nearest_cluster
from facesieve.faces.vectors import half_unit, pair_cosine


def faces(seed: int, count: int, people: int, alike: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Clusters, face ids and vectors: small integers (many ties), close calls (within the margin), or plain."""
    draw = np.random.default_rng(seed)
    if alike == "ties":
        vectors = draw.integers(-1, 2, (count, 3)).astype(np.float64)
    elif alike == "close":
        vectors = draw.normal(size=64) + 2e-3 * draw.normal(size=(count, 64))
    else:
        vectors = draw.normal(size=(count, 8))
    names = draw.choice(np.arange(-50, 50), people, replace=False)
    return draw.choice(names, count), draw.permutation(count) - count // 2, vectors.astype(np.float16)


def brute(face: int, vector: np.ndarray, own: int, crowd: Exemplars, barred: set[tuple[int, int]]) -> tuple[int, float]:
    best = (-1, NONE)
    for at in range(len(crowd.clusters)):
        if own >= 0 and (own, at) in barred:
            continue
        shown = slice(crowd.starts[at], crowd.starts[at + 1])
        rows = crowd.vectors[shown][crowd.faces[shown] != face]
        if not len(rows):
            continue
        cosines = sorted(pair_cosine(rows, np.repeat(vector[None], len(rows), axis=0)).tolist(), reverse=True)[:3]
        near = sum(cosines) / len(cosines)
        if near > best[1]:
            best = (at, near)
    return best


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(1, 30),
    people=st.integers(1, 8),
    alike=st.sampled_from(["ties", "close", "plain"]),
    sizes=st.sampled_from([(1, 1), (3, 7), (128, 8_192)]),
)
def test_nearest_cluster_equals_brute_force_whatever_the_blocks(
    seed: int, count: int, people: int, alike: str, sizes: tuple[int, int]
) -> None:
    clusters, ids, vectors = faces(seed, count, people, alike)
    crowd = exemplars(clusters, ids, vectors)
    draw = np.random.default_rng(seed + 1)
    own = draw.integers(-1, len(crowd.clusters), count)
    asked = np.where(draw.random(count) < 0.5, ids, 1_000 + ids)  # half of them are exemplars themselves
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_ASKED", sizes[0])
        patch.setattr(module, "_OFFERED", sizes[1])
        linked = links(crowd, 0.6)
        result, near = nearest_cluster(asked, vectors, own, crowd, linked)
    barred = set(zip(linked.first.tolist(), linked.second.tolist(), strict=True))
    expected = [brute(*row, crowd, barred) for row in zip(asked.tolist(), vectors, own.tolist(), strict=True)]
    assert list(zip(result.tolist(), near.tolist(), strict=True)) == expected


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), block=st.sampled_from([1, 2, 64]))
def test_links_are_those_of_the_centroids_in_any_order(seed: int, block: int) -> None:
    clusters, ids, vectors = faces(seed, 40, 9, "plain")
    order = np.random.default_rng(seed).permutation(40)
    crowd, shuffled = exemplars(clusters, ids, vectors), exemplars(clusters[order], ids[order], vectors[order])
    assert crowd.vectors.tobytes() == shuffled.vectors.tobytes()
    centroids = [half_unit(vectors[clusters == cluster]).sum(axis=0) for cluster in crowd.clusters]
    centroids = [each / np.linalg.norm(each) for each in centroids]
    cosines = np.array([[float(each @ other) for other in centroids] for each in centroids])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK", block)
        result = links(crowd, 0.2)
    sure = np.abs(cosines - 0.2) > 1e-3
    linked = np.zeros_like(sure)
    linked[result] = True
    assert (linked == (cosines >= 0.2))[sure].all()
    assert linked.diagonal().all()


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

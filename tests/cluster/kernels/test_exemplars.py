"""Exemplars in any order, and which clusters are linked."""

from __future__ import annotations

import numpy as np
import pytest
from alike_faces import faces
from hypothesis import given, settings
from hypothesis import strategies as st

from facesieve.cluster.kernels import exemplars as module
from facesieve.cluster.kernels.exemplars import exemplars, links
from facesieve.faces.vectors import half_unit, pair_cosine


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


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), most=st.integers(0, 9), alike=st.sampled_from(["ties", "plain"]))
def test_of_many_links_the_most_alike_stay(seed: int, most: int, alike: str) -> None:
    crowd = exemplars(*faces(seed, 40, 9, alike))
    count = len(crowd.clusters)
    of = crowd.centroids
    near = {(i, j): float(pair_cosine(of[[i]], of[[j]])[0]) for i in range(count) for j in range(i + 1, count)}
    chosen = sorted((pair for pair in near if near[pair] >= 0.1), key=lambda pair: (-near[pair], pair))[:most]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MOST_LINKS", most)
        result = links(crowd, 0.1)
    own = [(at, at) for at in range(count)]
    expected = sorted({*own, *chosen, *((j, i) for i, j in chosen)})
    assert list(zip(*(ends.tolist() for ends in result), strict=True)) == expected

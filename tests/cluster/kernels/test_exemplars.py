"""Exemplars in any order, and which clusters are linked."""

from __future__ import annotations

import numpy as np
import pytest
from alike_faces import faces
from hypothesis import given, settings
from hypothesis import strategies as st

from facesieve.cluster.kernels import exemplars as module
from facesieve.cluster.kernels.exemplars import exemplars, links
from facesieve.faces.vectors import half_unit


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

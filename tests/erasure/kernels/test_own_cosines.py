"""Each face's nearest other face."""

from __future__ import annotations

import numpy as np

from facesieve.erasure.kernels.own_cosines import nearest_own


def test_the_nearest_is_that_of_all_pairs_compared_one_by_one() -> None:
    vectors = np.random.default_rng(7).normal(size=(20, 8))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    nearest = nearest_own(vectors)
    assert nearest is not None
    for face, vector in enumerate(vectors):
        cosines = [float(vector @ other) if number != face else -2.0 for number, other in enumerate(vectors)]
        assert nearest.row[face] == int(np.argmax(cosines))
        assert np.isclose(nearest.cosine[face], max(cosines))


def test_one_face_has_no_other() -> None:
    assert nearest_own(np.ones((1, 4))) is None
    assert nearest_own(np.ones((0, 4))) is None

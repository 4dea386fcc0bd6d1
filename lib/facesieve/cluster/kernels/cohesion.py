"""How well the members of a cluster hold together."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from facesieve.faces.vectors import Indices, medoid, pair_cosine


def cohesion(ids: Indices, vectors: npt.NDArray[Any]) -> tuple[int, float]:
    """Find a cluster's medoid and the mean cosine of the other members to it (1.0 for a single face).

    Shapes: ids int64 [N], vectors [N, D], N at least 1. Returns the medoid's index and the mean, taken in float64 by
    ascending id, so the row order of the input does not matter. Cosines as in `vectors.pair_cosine`.

    >>> cohesion(np.array([7, 3]), np.array([[1.0, 0.0], [0.5, 0.0]]))
    (0, 1.0)
    """
    centre = medoid(ids, vectors)
    if len(ids) == 1:
        return centre, 1.0
    order = np.argsort(ids, kind="stable")
    others = vectors[order[order != centre]]
    cosines = pair_cosine(others, vectors[centre : centre + 1]).astype(np.float64)
    return centre, float(np.add.accumulate(cosines)[-1] / len(cosines))

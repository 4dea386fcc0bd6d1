"""Recall of edges, measured on a few faces whose true edges are known."""

from __future__ import annotations

import numpy as np

from facesieve.kernels.vectors import BLOCK, Halves, Indices, half_unit, hits, slices

ENOUGH_EDGES = 1_000
FEWEST_EDGES = 50
FEWEST_FACES = 500
"""Faces measured at least: a few faces of one large person can hold 1,000 edges and say nothing of the others."""

_RESAMPLES = 1_000
_LEVELS = (2.5, 97.5)


def degrees(ids: Indices, vectors: Halves, others: Indices, other_vectors: Halves, cosine: float) -> Indices:
    """Count, for each face, its true edges among other faces: exact cosine at or above `cosine`, itself left out.

    Shapes: ids int64 [n], vectors float16 [n, D], others int64 [k], other_vectors float16 [k, D] -> int64 [n].

    >>> degrees(np.array([1]), np.ones((1, 2), np.float16), np.array([1, 2]), np.ones((2, 2), np.float16), 0.5).tolist()
    [1]
    """
    counts = np.zeros(len(ids), np.int64)
    for left in slices(len(ids), BLOCK):
        faces = half_unit(vectors[left])
        for right in slices(len(others), BLOCK):
            i, j, _ = hits(faces, half_unit(other_vectors[right]), cosine)
            distinct = ids[left][i] != others[right][j]
            counts[left] += np.bincount(i[distinct], minlength=len(faces))
    return counts


def enough_faces(true: Indices) -> int:
    """Number of leading faces that suffice: 500, or more until they have 1,000 true edges together.

    Shapes: true int64 [n], true edges per face in the order in which faces are added. Never more than n.

    >>> enough_faces(np.full(5_000, 1))
    1000
    """
    before = np.cumsum(true) < ENOUGH_EDGES
    return min(len(true), max(FEWEST_FACES, int(before.sum()) + 1))


def ratio_interval(found: Indices, true: Indices, seed: int) -> tuple[float, float, float] | None:
    """Estimate recall as found over true edges, with a 95 % interval; None below 50 true edges.

    Shapes: found and true int64 [n], edges per face. The interval is a percentile bootstrap over faces (Efron 1979),
    because the edges of one face are not independent; resamples without a true edge are left out.

    >>> ratio_interval(np.array([45, 45]), np.array([50, 50]), 0)
    (0.9, 0.9, 0.9)
    """
    if true.sum() < FEWEST_EDGES:
        return None
    drawn = np.random.default_rng(seed).integers(0, len(true), size=(_RESAMPLES, len(true)))
    sums = true[drawn].sum(axis=1)
    ratios = found[drawn].sum(axis=1)[sums > 0] / sums[sums > 0]
    low, high = np.percentile(ratios, _LEVELS)
    return float(found.sum() / true.sum()), float(low), float(high)

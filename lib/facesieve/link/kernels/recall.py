"""Recall of edges, measured on a few faces whose true edges were counted."""

from __future__ import annotations

import numpy as np

from facesieve.faces.hashing import id_hash
from facesieve.faces.vectors import Halves, Indices, Shorts, exact_cosine, near_pairs_by_block, short_unit

ENOUGH_EDGES = 1_000
FEWEST_EDGES = 50
FEWEST_FACES = 500
"""Faces measured at least: a few faces of one large person can hold 1,000 edges and say nothing of the others."""

MOST_FACES = 5_000
"""Faces measured at most: each is compared with everything."""

PARTNERS = 64
"""Partners remembered per face: enough to count at which probe they become candidates."""

_RESAMPLES = 1_000
_LEVELS = (2.5, 97.5)


class Neighbours:
    """True edges of a few faces among faces that come block by block: how many, and some partners, by id hash.

    faces: ids int64 [q], vectors float16 [q, D]. Memory grows with q, not with the edges.

    >>> neighbours = Neighbours(np.array([1]), np.ones((1, 2), np.float16), 0.5)
    >>> neighbours.add(np.array([1, 2]), np.ones((2, 2), np.float16))
    >>> neighbours.degrees.tolist(), neighbours.partners()[1].tolist()
    ([1], [2])
    """

    def __init__(self, ids: Indices, vectors: Halves, cosine: float) -> None:
        self._ids, self._vectors, self._cosine = ids, vectors, cosine
        self._short = short_unit(vectors)
        self.degrees = np.zeros(len(ids), np.int64)
        self._partners = [(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, vectors.shape[1]), np.float16))]

    def add(self, ids: Indices, vectors: Halves) -> None:
        """Compare the faces with these: an edge is an exact cosine at or above the threshold, itself left out."""

        def others(part: slice) -> Shorts:
            return short_unit(vectors[part])

        for i, j in near_pairs_by_block(self._short, len(ids), others, self._cosine):
            exact = exact_cosine(self._vectors, i, vectors, j).astype(np.float64)
            edge = (exact >= self._cosine) & (self._ids[i] != ids[j])
            of, to = i[edge], j[edge]
            self.degrees += np.bincount(of, minlength=len(self._ids))
            self.remember(of, ids[to], vectors[to])

    def remember(self, of: Indices, others: Indices, vectors: Halves) -> None:
        """Remember these partners too (rows of the faces, ids and vectors of the partners)."""
        self._partners.append((of, others, vectors))
        if sum(len(part[0]) for part in self._partners) > 4 * PARTNERS * len(self._ids):
            self._partners = [self.partners()]

    def partners(self) -> tuple[Indices, Indices, Halves]:
        """Return rows of the faces, ids and vectors of their partners: of each face PARTNERS with the least id hash."""
        of, others, vectors = (np.concatenate(part) for part in zip(*self._partners, strict=True))
        order = np.lexsort((id_hash(others, 0), of))
        ordered = of[order]
        first = order[np.arange(len(of)) - np.searchsorted(ordered, ordered) < PARTNERS]
        return of[first], others[first], vectors[first]


def enough_faces(true: Indices) -> int:
    """Number of leading faces that suffice: 500, or more until they have 1,000 true edges together.

    Shapes: true int64 [n], true edges per face in the order in which faces are added. Never more than n.

    >>> enough_faces(np.full(5_000, 1))
    1000
    """
    before = np.cumsum(true) < ENOUGH_EDGES
    return min(len(true), max(FEWEST_FACES, int(before.sum()) + 1))


def ratio_interval(recalled: Indices, true: Indices, seed: int) -> tuple[float, float, float] | None:
    """Estimate recall as recalled over true edges, with a 95 % interval; None below 50 true edges.

    Shapes: recalled and true int64 [n], edges per face. The interval is a percentile bootstrap over faces (Efron 1979),
    because the edges of one face are not independent; resamples without a true edge are left out.

    >>> ratio_interval(np.array([45, 45]), np.array([50, 50]), 0)
    (0.9, 0.9, 0.9)
    """
    if true.sum() < FEWEST_EDGES:
        return None
    drawn = np.random.default_rng(seed).integers(0, len(true), size=(_RESAMPLES, len(true)))
    sums = true[drawn].sum(axis=1)
    ratios = recalled[drawn].sum(axis=1)[sums > 0] / sums[sums > 0]
    low, high = np.percentile(ratios, _LEVELS)
    return float(recalled.sum() / true.sum()), float(low), float(high)

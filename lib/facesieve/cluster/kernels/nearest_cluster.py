"""The large cluster to whose exemplars a face is nearest: of all, or of those whose centroids are nearest to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from facesieve.cluster.kernels.exemplars import Exemplars, Links
from facesieve.cluster.kernels.neighbourhoods import ranges
from facesieve.faces.vectors import MARGIN, Floats, Halves, Indices, Shorts, exact_cosine, short_unit, slices

NONE = -2.0
"""Below every cosine."""

NEIGHBOURS = 3
"""Exemplars of a cluster whose cosines are averaged; with 1 or 5 the B-cubed F of hard sets is within 0.01."""

COMPARED_WITH_ALL = 4_096
"""Clusters up to which a face is compared with all of them. To compare with all grows with the square of the faces."""
SHORTLIST = 64
"""Clusters that a face is compared with where there are more: of 100,000 synthetic faces 99.8 % find the nearest."""

_LEAST = NONE / 2 - MARGIN
_ASKED, _OFFERED, _PAIRS = 128, 8_192, 8_192


def nearest_cluster(
    faces: Indices, vectors: Halves, own: Indices, crowd: Exemplars, linked: Links
) -> tuple[Indices, Floats]:
    """Find, for each face, the cluster to whose exemplars it is nearest: position and mean of the greatest cosines.

    Shapes: face ids int64 [n], vectors float16 [n, D], own int64 [n] -> positions int64 [n], similarities float64 [n].
    A face with `own` >= 0 is of that cluster and is not compared with it nor with those linked to it; -1: of none. No
    face is compared with itself. The similarity is the mean of the NEIGHBOURS greatest cosines (`vectors.pair_cosine`;
    of all, if there are fewer). Ties go to the smaller cluster id. A face that may be compared with nobody gets -1 and
    NONE. With more than COMPARED_WITH_ALL clusters a face is compared with the SHORTLIST of nearest centroids alone.
    Block products find what may be nearest and exact cosines decide it, so no bit depends on blocks or threads; memory
    is bounded.

    >>> from facesieve.cluster.kernels.exemplars import exemplars, links
    >>> axes = exemplars(np.array([5, 6]), np.array([1, 2]), np.eye(2, dtype=np.float16))
    >>> asked = np.array([3, 4]), np.eye(2, dtype=np.float16), np.array([-1, 1])
    >>> nearest_cluster(*asked, axes, links(axes, 0.5))[0].tolist()
    [0, 0]
    """
    nearest, best = np.full(len(own), -1), np.full(len(own), NONE)
    for group in _groups(crowd) if len(crowd.clusters) <= COMPARED_WITH_ALL else _shortlists(crowd):
        for part in slices(len(own), _ASKED):
            asked = _Asked(faces[part], vectors[part], own[part])
            row, cluster = group.may_be_nearest(asked, linked, best[part])
            exact = group.exact(asked.faces, asked.vectors, row, cluster)
            order = np.lexsort((cluster, -exact, row))
            first = order[np.unique(row[order], return_index=True)[1]]
            better = first[exact[first] > best[part][row[first]]]
            nearest[part][row[better]], best[part][row[better]] = cluster[better] + group.first, exact[better]
    return nearest, best


class _Asked(NamedTuple):
    """Faces, their vectors, and the clusters that they are of."""

    faces: Indices
    vectors: Halves
    own: Indices


@dataclass(frozen=True)
class _Clusters:
    """Consecutive clusters, the first at position `first`; cluster c has the rows starts[c] to starts[c] + sizes[c]."""

    first: int
    starts: Indices
    sizes: Indices
    faces: Indices
    vectors: Halves

    def exact(self, faces: Indices, vectors: Halves, row: Indices, cluster: Indices) -> Floats:
        """Similarity of rows with clusters, pair by pair, [h]."""
        pair, place, shown = self.places(cluster)
        cosines = exact_cosine(vectors, row[pair], self.vectors, shown)
        cosines[faces[row][pair] == self.faces[shown]] = NONE
        return _mean_of_greatest(cosines, pair, place, len(row))

    def places(self, cluster: Indices) -> tuple[Indices, Indices, Indices]:
        """List the exemplars of each of some clusters: which of these, which place in the cluster, and which row."""
        starts, counts = self.starts[cluster], self.sizes[cluster]
        pair, shown = np.repeat(np.arange(len(cluster)), counts), ranges(starts, counts)
        return pair, shown - starts[pair], shown


@dataclass(frozen=True)
class _Group(_Clusters):
    """Clusters that every face is compared with."""

    short: Shorts

    def may_be_nearest(self, asked: _Asked, linked: Links, best: Floats) -> tuple[Indices, Indices]:
        """Find the clusters, with rows, whose similarity may be the greatest and above `best` [n]: rows, positions.

        No cluster is more similar than its greatest cosine. That of the cluster with the greatest cosine of all is a
        bound for the others, so that few are looked at closely.
        """
        product = short_unit(asked.vectors) @ self.short.T
        row, column = np.flatnonzero(np.isin(asked.faces, self.faces)), np.argsort(self.faces, kind="stable")
        product[row, column[np.searchsorted(self.faces[column], asked.faces[row])]] = NONE
        greatest = np.maximum.reduceat(product, self.starts, axis=1)
        _leave_out(greatest, asked.own, linked, self.first)
        every = np.arange(len(product))
        first = greatest.argmax(axis=1)
        allowed = greatest[every, first] > _LEAST
        floor = np.where(allowed, self._similarity(product, every, first), NONE)
        floor = np.maximum(floor, best) - 2 * MARGIN
        row, cluster = np.nonzero((greatest >= floor[:, None]) & (greatest > _LEAST))
        return _near_enough(row, cluster, self._similarity(product, row, cluster), floor)

    def _similarity(self, product: Shorts, row: Indices, cluster: Indices) -> Floats:
        """Approximate similarity of rows with clusters, pair by pair, [h]: it errs by less than MARGIN."""
        pair, place, shown = self.places(cluster)
        return _mean_of_greatest(product[row[pair], shown], pair, place, len(row))


@dataclass(frozen=True)
class _Shortlists(_Clusters):
    """All clusters, of which every face is compared with some: those of the nearest centroids (float16 [C, D])."""

    centroids: Halves
    short: Shorts

    def may_be_nearest(self, asked: _Asked, linked: Links, best: Floats) -> tuple[Indices, Indices]:
        """As `_Group.may_be_nearest`."""
        short = short_unit(asked.vectors)
        row, cluster = self._shortlist(asked, short, linked)
        similarity = self._similarity(asked.faces, short, row, cluster)
        some = similarity > _LEAST
        return _near_enough(row[some], cluster[some], similarity[some], best - 2 * MARGIN)

    def _shortlist(self, asked: _Asked, short: Shorts, linked: Links) -> tuple[Indices, Indices]:
        """Find the SHORTLIST clusters of the nearest centroids, of equal ones the first: rows, ascending, positions."""
        near = short @ self.short.T
        _leave_out(near, asked.own, linked, 0)
        most = min(SHORTLIST, near.shape[1])
        least = np.partition(near, -most, axis=1)[:, -most] - 2 * MARGIN
        row, cluster = np.divmod(np.flatnonzero(near >= least[:, None]), near.shape[1])
        some = near[row, cluster] > _LEAST
        row, cluster = row[some], cluster[some]
        exact = exact_cosine(asked.vectors, row, self.centroids, cluster)
        order = np.lexsort((cluster, -exact, row))
        counts = np.bincount(row, minlength=len(near))
        chosen = order[ranges(np.zeros_like(counts), counts) < most]
        return row[chosen], cluster[chosen]

    def _similarity(self, faces: Indices, short: Shorts, row: Indices, cluster: Indices) -> Floats:
        """Approximate similarity of rows with clusters, pair by pair, [h]: it errs by less than MARGIN."""
        pair, place, shown = self.places(cluster)
        rows, cosines = row[pair], np.empty(len(pair), np.float32)
        for part in slices(len(pair), _PAIRS):
            others = short_unit(self.vectors.take(shown[part], axis=0))
            cosines[part] = np.einsum("pd,pd->p", short.take(rows[part], axis=0), others)
        cosines[faces[rows] == self.faces[shown]] = NONE
        return _mean_of_greatest(cosines, pair, place, len(row))


def _near_enough(row: Indices, cluster: Indices, similarity: Floats, floor: Floats) -> tuple[Indices, Indices]:
    """Keep the pairs that are at most 2 MARGIN less similar than the row's most similar one, and not below `floor`."""
    np.maximum.at(floor, row, similarity - 2 * MARGIN)
    may_be = similarity >= floor[row]
    return row[may_be], cluster[may_be]


def _mean_of_greatest(cosines: Shorts, pair: Indices, place: Indices, pairs: int) -> Floats:
    """Mean of the NEIGHBOURS greatest cosines of each pair, [pairs]; NONE where there is none."""
    width = max(NEIGHBOURS, int(place.max(initial=0)) + 1)
    spread = np.full((pairs, width), NONE, np.float32)
    spread[pair, place] = cosines
    top = np.partition(spread, width - NEIGHBOURS, axis=1)[:, -NEIGHBOURS:]
    top = np.sort(top, axis=1)[:, ::-1].astype(np.float64)
    some = top > _LEAST
    sums = np.add.accumulate(np.where(some, top, 0), axis=1)[:, -1]
    return np.where(some.any(axis=1), sums / np.maximum(some.sum(axis=1), 1), NONE)


def _groups(crowd: Exemplars) -> Iterator[_Group]:
    """Cut the clusters into groups of about _OFFERED exemplars."""
    sizes = np.diff(crowd.starts)
    number = crowd.starts[:-1] // _OFFERED
    bounds = [*np.unique(number, return_index=True)[1].tolist(), len(sizes)]
    for first, last in pairwise(bounds):
        shown = slice(crowd.starts[first], crowd.starts[last])
        vectors = crowd.vectors[shown]
        starts = crowd.starts[first:last] - crowd.starts[first]
        yield _Group(first, starts, sizes[first:last], crowd.faces[shown], vectors, short_unit(vectors))


def _shortlists(crowd: Exemplars) -> Iterator[_Shortlists]:
    sizes, short = np.diff(crowd.starts), short_unit(crowd.centroids)
    yield _Shortlists(0, crowd.starts[:-1], sizes, crowd.faces, crowd.vectors, crowd.centroids, short)


def _leave_out(near: Shorts, own: Indices, linked: Links, first: int) -> None:
    """Set to NONE what a face is not compared with: its own cluster and those linked to it."""
    low, high = (np.searchsorted(linked.first, own, side) for side in ("left", "right"))
    counts = high - low
    row = np.repeat(np.arange(len(own)), counts)
    other = linked.second[ranges(low, counts)] - first
    inside = (other >= 0) & (other < near.shape[1])
    near[row[inside], other[inside]] = NONE

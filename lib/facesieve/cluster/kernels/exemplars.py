"""Large clusters as exemplars, faces that stand for them, and the cluster to which a face is nearest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from facesieve.faces.vectors import (
    BLOCK,
    MARGIN,
    Floats,
    Halves,
    Indices,
    Shorts,
    exact_cosine,
    half_unit,
    hits,
    short_unit,
    slices,
    unit,
)

NONE = -2.0
"""Below every cosine."""

NEIGHBOURS = 3
"""Exemplars of a cluster whose cosines are averaged; with 1 or 5 the B-cubed F of hard sets is within 0.01."""

_LEAST = NONE / 2 - MARGIN
_ASKED, _OFFERED, _ROWS = 128, 8_192, 8_192


@dataclass(frozen=True)
class Exemplars:
    """Faces that stand for large clusters.

    clusters: ids int64 [C], ascending. Cluster c has the rows starts[c] to starts[c + 1], at least one, of faces
    int64 [M] and vectors float16 [M, D], by ascending face id.
    """

    clusters: Indices
    starts: Indices
    faces: Indices
    vectors: Halves


class Links(NamedTuple):
    """Pairs of positions of clusters that may be one person, each both ways and each with itself: sorted by `first`."""

    first: Indices
    second: Indices


def exemplars(clusters: Indices, faces: Indices, vectors: Halves) -> Exemplars:
    """Arrange faces by cluster and face id; the order of the input does not matter.

    Shapes: cluster ids and face ids int64 [M], vectors float16 [M, D], M at least 1.

    >>> exemplars(np.array([7, 3, 7]), np.array([2, 5, 1]), np.eye(3, dtype=np.float16)).starts.tolist()
    [0, 1, 3]
    """
    order = np.lexsort((faces, clusters))
    ids, sizes = np.unique(clusters, return_counts=True)
    return Exemplars(ids, np.concatenate([[0], np.cumsum(sizes)]), faces[order], vectors[order])


def with_joined(crowd: Exemplars, targets: Indices, faces: Indices, vectors: Halves) -> Exemplars:
    """Add faces to the exemplars of the clusters at the positions `targets`, int64 [n], which they have joined.

    >>> single = exemplars(np.array([7]), np.array([2]), np.ones((1, 2), np.float16))
    >>> with_joined(single, np.array([0]), np.array([-3]), np.zeros((1, 2), np.float16)).faces.tolist()
    [-3, 2]
    """
    clusters = np.repeat(crowd.clusters, np.diff(crowd.starts))
    return exemplars(
        np.concatenate([clusters, crowd.clusters[targets]]),
        np.concatenate([crowd.faces, faces]),
        np.concatenate([crowd.vectors, vectors]),
    )


def links(crowd: Exemplars, cosine: float) -> Links:
    """Find the clusters whose centroids have a cosine at or above `cosine`.

    A centroid is the direction of the sum of a cluster's unit exemplars, in float64 by ascending face id.

    >>> axes = exemplars(np.array([1, 2, 3]), np.array([1, 2, 3]), np.eye(2, dtype=np.float16)[[0, 1, 1]])
    >>> [ends.tolist() for ends in links(axes, 0.5)]
    [[0, 1, 1, 2, 2], [0, 1, 2, 1, 2]]
    """
    of = np.repeat(np.arange(len(crowd.clusters)), np.diff(crowd.starts))
    sums = np.zeros((len(crowd.clusters), crowd.vectors.shape[1]))
    for part in slices(len(of), _ROWS):
        np.add.at(sums, of[part], half_unit(crowd.vectors[part]))
    centroids = unit(sums).astype(np.float16)
    pairs = [np.stack([np.arange(len(sums))] * 2)]
    for left in slices(len(sums), BLOCK):
        for right in slices(len(sums), BLOCK):
            i, j, _ = hits(centroids[left], centroids[right], cosine)
            pairs.append(np.stack([i + left.start, j + right.start]))
    return Links(*np.unique(np.concatenate(pairs, axis=1), axis=1))


def nearest_cluster(
    faces: Indices, vectors: Halves, own: Indices, crowd: Exemplars, linked: Links
) -> tuple[Indices, Floats]:
    """Find, for each face, the cluster to whose exemplars it is nearest: position and mean of the greatest cosines.

    Shapes: face ids int64 [n], vectors float16 [n, D], own int64 [n] -> positions int64 [n], similarities float64 [n].
    A face with `own` >= 0 is of that cluster and is not compared with it nor with those linked to it; -1: of none. No
    face is compared with itself. The similarity is the mean of the NEIGHBOURS greatest cosines (`vectors.pair_cosine`;
    of all, if there are fewer). Ties go to the smaller cluster id. A face that may be compared with nobody gets -1 and
    NONE. Block products find what may be nearest and exact cosines decide it, so no bit depends on blocks or
    threads; memory is bounded.

    >>> axes = exemplars(np.array([5, 6]), np.array([1, 2]), np.eye(2, dtype=np.float16))
    >>> asked = np.array([3, 4]), np.eye(2, dtype=np.float16), np.array([-1, 1])
    >>> nearest_cluster(*asked, axes, links(axes, 0.5))[0].tolist()
    [0, 0]
    """
    nearest, best = np.full(len(own), -1), np.full(len(own), NONE)
    for group in _groups(crowd):
        for part in slices(len(own), _ASKED):
            row, cluster = group.may_be_nearest(faces[part], vectors[part], own[part], linked, best[part])
            exact = group.exact(faces[part], vectors[part], row, cluster)
            order = np.lexsort((cluster, -exact, row))
            first = order[np.unique(row[order], return_index=True)[1]]
            better = first[exact[first] > best[part][row[first]]]
            nearest[part][row[better]], best[part][row[better]] = cluster[better] + group.first, exact[better]
    return nearest, best


@dataclass(frozen=True)
class _Group:
    """Consecutive clusters, the first at position `first`; cluster c has the rows starts[c] to starts[c] + sizes[c]."""

    first: int
    starts: Indices
    sizes: Indices
    faces: Indices
    vectors: Halves
    short: Shorts

    def may_be_nearest(
        self, faces: Indices, vectors: Halves, own: Indices, linked: Links, best: Floats
    ) -> tuple[Indices, Indices]:
        """Find the clusters, with rows, whose similarity may be the greatest and above `best` [n]: rows, positions.

        No cluster is more similar than its greatest cosine. That of the cluster with the greatest cosine of all is a
        bound for the others, so that few are looked at closely.
        """
        product = short_unit(vectors) @ self.short.T
        row, column = np.flatnonzero(np.isin(faces, self.faces)), np.argsort(self.faces, kind="stable")
        product[row, column[np.searchsorted(self.faces[column], faces[row])]] = NONE
        greatest = np.maximum.reduceat(product, self.starts, axis=1)
        _leave_out(greatest, own, linked, self.first)
        every = np.arange(len(faces))
        first = greatest.argmax(axis=1)
        allowed = greatest[every, first] > _LEAST
        floor = np.where(allowed, self._similarity(product, every, first), NONE)
        floor = np.maximum(floor, best) - 2 * MARGIN
        row, cluster = np.nonzero((greatest >= floor[:, None]) & (greatest > _LEAST))
        similarity = self._similarity(product, row, cluster)
        np.maximum.at(floor, row, similarity - 2 * MARGIN)
        may_be = similarity >= floor[row]
        return row[may_be], cluster[may_be]

    def exact(self, faces: Indices, vectors: Halves, row: Indices, cluster: Indices) -> Floats:
        """Similarity of rows with clusters, pair by pair, [h]."""
        pair, place = self._places(cluster)
        shown = self.starts[cluster][pair] + place
        cosines = exact_cosine(vectors, row[pair], self.vectors, shown)
        cosines[faces[row][pair] == self.faces[shown]] = NONE
        return _mean_of_greatest(cosines, pair, place, len(row))

    def _similarity(self, product: Shorts, row: Indices, cluster: Indices) -> Floats:
        """Approximate similarity of rows with clusters, pair by pair, [h]: it errs by less than MARGIN."""
        pair, place = self._places(cluster)
        return _mean_of_greatest(product[row[pair], self.starts[cluster][pair] + place], pair, place, len(row))

    def _places(self, cluster: Indices) -> tuple[Indices, Indices]:
        """List the exemplars of each of some clusters: which of these, and which place in the cluster."""
        counts = self.sizes[cluster]
        pair = np.repeat(np.arange(len(cluster)), counts)
        return pair, np.arange(len(pair)) - np.repeat(np.cumsum(counts) - counts, counts)


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


def _leave_out(near: Shorts, own: Indices, linked: Links, first: int) -> None:
    """Set to NONE what a face is not compared with: its own cluster and those linked to it."""
    low, high = (np.searchsorted(linked.first, own, side) for side in ("left", "right"))
    counts = high - low
    row = np.repeat(np.arange(len(own)), counts)
    other = linked.second[np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts) + low[row]] - first
    inside = (other >= 0) & (other < near.shape[1])
    near[row[inside], other[inside]] = NONE

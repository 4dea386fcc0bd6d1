"""Large clusters as exemplars, faces that stand for them, and which of the clusters may be one person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from facesieve.faces.vectors import BLOCK, Halves, Indices, half_unit, hits, slices, unit

MOST_LINKS = 500
"""Pairs of clusters that may be one person. Where impostors were taken for such pairs, leftovers joined strangers: of a
million synthetic faces 65,628 were attached, 46 % wrongly, and none of 5,439 pairs was one person."""

_ROWS = 8_192


@dataclass(frozen=True)
class Exemplars:
    """Faces that stand for large clusters.

    clusters: ids int64 [C], ascending. Cluster c has the rows starts[c] to starts[c + 1], at least one, of faces
    int64 [M] and vectors float16 [M, D], by ascending face id. centroids: float16 [C, D], the direction of the sum of a
    cluster's unit exemplars, in float64 by ascending face id.
    """

    clusters: Indices
    starts: Indices
    faces: Indices
    vectors: Halves
    centroids: Halves


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
    starts = np.concatenate([[0], np.cumsum(sizes)])
    return Exemplars(ids, starts, faces[order], vectors[order], _centroids(vectors[order], sizes))


def _centroids(vectors: Halves, sizes: Indices) -> Halves:
    of = np.repeat(np.arange(len(sizes)), sizes)
    sums = np.zeros((len(sizes), vectors.shape[1]))
    for part in slices(len(of), _ROWS):
        np.add.at(sums, of[part], half_unit(vectors[part]))
    return unit(sums).astype(np.float16)


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
    """Find the clusters whose centroids have a cosine at or above `cosine`: of many pairs the most alike.

    There are at most MOST_LINKS pairs, or one for every hundred clusters where that is more. Most pairs beyond are
    people who look alike.

    >>> axes = exemplars(np.array([1, 2, 3]), np.array([1, 2, 3]), np.eye(2, dtype=np.float16)[[0, 1, 1]])
    >>> [ends.tolist() for ends in links(axes, 0.5)]
    [[0, 1, 1, 2, 2], [0, 1, 2, 1, 2]]
    """
    count, reached = len(crowd.clusters), [np.zeros((3, 0))]
    for left in slices(count, BLOCK):
        for right in slices(count - left.start, BLOCK):
            start = left.start + right.start
            i, j, near = hits(crowd.centroids[left], crowd.centroids[start : left.start + right.stop], cosine)
            pairs = np.stack([i + left.start, j + start, -near])
            reached.append(pairs[:, pairs[0] < pairs[1]])
    first, second, far = np.concatenate(reached, axis=1)
    alike = np.lexsort((second, first, far))[: max(MOST_LINKS, count // 100)]
    ends, own = np.stack([first[alike], second[alike]]).astype(np.int64), np.stack([np.arange(count)] * 2)
    return Links(*np.unique(np.concatenate([own, ends, ends[::-1]], axis=1), axis=1))

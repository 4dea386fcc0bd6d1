"""What is measured of clusters whose faces are all here: smallest face, medoid, cohesion and stability of each."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from facesieve.cluster.kernels.cohesion import cohesion
from facesieve.cluster.kernels.coins import Shares, stability

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Vectors = npt.NDArray[np.float32]


class Measures(NamedTuple):
    """Of each face: its cluster (the smallest face of it), that cluster's size and cohesion, medoid or not, stability.

    Shapes: clusters, sizes int64 [n], cohesion float32 [n], medoids bool [n], stability float32 [n].
    """

    clusters: Ints
    sizes: Ints
    cohesion: Shares
    medoids: Flags
    stability: Shares

    def take(self, rows: Ints) -> Measures:
        """Return some of the faces."""
        clusters, sizes = self.clusters[rows], self.sizes[rows]
        return Measures(clusters, sizes, self.cohesion[rows], self.medoids[rows], self.stability[rows])

    def put(self, rows: Ints, anew: Measures) -> None:
        """Take over what is measured anew of some of the faces."""
        self.clusters[rows], self.sizes[rows], self.cohesion[rows] = anew.clusters, anew.sizes, anew.cohesion
        self.medoids[rows], self.stability[rows] = anew.medoids, anew.stability


def measures(clusters: Ints, ids: Ints, vectors: Vectors, labels: Ints) -> Measures:
    """Measure clusters, as the tasks of `cluster.medoids` do to the bit.

    clusters: int64 [n], names that tell them apart; ids: int64 [n], ascending; vectors: float32 [n, D]; labels: int64
    [n, K], by coin.

    >>> of = measures(np.array([7, 9, 7]), np.array([2, 3, 5]), np.eye(3, dtype=np.float32), np.array([[2], [3], [2]]))
    >>> of.clusters.tolist(), of.sizes.tolist(), of.medoids.tolist()
    ([2, 3, 2], [2, 1, 2], [True, True, False])
    """
    order = np.argsort(clusters, kind="stable")
    _, starts, sizes = np.unique(clusters[order], return_index=True, return_counts=True)
    number = np.repeat(np.arange(len(sizes)), sizes)
    of = Measures(
        clusters=ids[order][starts][number],
        sizes=sizes[number].astype(np.int64),
        cohesion=np.ones(len(ids), np.float32),
        medoids=np.zeros(len(ids), np.bool_),
        stability=np.ones(len(ids), np.float32),
    )
    of.medoids[starts[sizes == 1]] = True
    for start, size in zip(starts[sizes > 1].tolist(), sizes[sizes > 1].tolist(), strict=True):
        rows, here = order[start : start + size], slice(start, start + size)
        centre, mean = cohesion(ids[rows], vectors[rows])
        of.medoids[start + centre], of.cohesion[here] = True, mean
        of.stability[here] = stability(labels[rows], centre)
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    return of.take(back)

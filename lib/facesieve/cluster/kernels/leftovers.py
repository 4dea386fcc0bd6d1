"""Which leftover clusters join which large ones: the order of questions, whoever holds the faces and answers them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from facesieve.cluster.kernels.attachment import FEWEST_CLUSTERS, admission, permitted
from facesieve.cluster.kernels.exemplars import Exemplars, Links, exemplars, links, with_joined
from facesieve.cluster.kernels.nearest_cluster import nearest_cluster
from facesieve.faces.hashing import xxhash64
from facesieve.faces.vectors import Floats, Halves, Indices

LARGE = 10
"""Faces of a cluster from which on it is large: a person, whom leftovers may join."""
MOST = 512
"""Faces, about, that stand for a large cluster."""
DRAW_BITS = 53
"""Bits of a face's draw, the highest of its hash."""

_NONE = np.zeros(0, np.int64)
_LEAST, _EXEMPLARS, _NULL = 10, 200_000, 20_000

Flags = npt.NDArray[np.bool_]

Forbidden = Callable[[Indices], Indices]
"""Tells of clusters (int64 [n]) which pairs of them must not become one: int64 [f, 2]."""


class Compared(NamedTuple):
    """What was compared: cluster, its size, position of the nearest large cluster, similarity; by cluster."""

    clusters: Indices
    sizes: Indices
    targets: Indices
    similarities: Floats

    def take(self, rows: Indices) -> Compared:
        """Return some of the rows."""
        return Compared(self.clusters[rows], self.sizes[rows], self.targets[rows], self.similarities[rows])


class ClusteredFaces(Protocol):
    """Faces with their clusters, in one place or in many."""

    def counts(self) -> tuple[int, int]:
        """Count the clusters below LARGE faces, and the others."""

    def exemplars(self, each: int) -> Exemplars:
        """Return the medoids of large clusters, and about `each` faces of everyone, but not more than about MOST."""

    def nearest(self, each: int, crowd: Exemplars, linked: Links) -> tuple[Compared, Compared]:
        """Compare leftovers with all large clusters, and about `each` faces of each large cluster with the others."""

    def nearest_again(self, joining: Compared, crowd: Exemplars) -> Compared:
        """Compare the medoids of those that join with all large clusters, grown by these medoids."""


class Decision(NamedTuple):
    """Clusters that join and the clusters that they join, int64 [n], by ascending cluster; what is recorded of it."""

    clusters: Indices
    targets: Indices
    facts: dict[str, int | float | str | None]


def decided(faces: ClusteredFaces, link_cosine: float, error: float, forbidden: Forbidden) -> Decision:
    """Decide which leftovers join large clusters, about a share `error` of them wrongly.

    Pairs of large clusters whose centroids have a cosine of `link_cosine` or more are left out of the null. `forbidden`
    is asked once, by those that join. Those that join look once more for whom, and are exemplars then too.
    The facts are the fields of the ledger's AttachmentRecord.
    """
    leftovers, large = faces.counts()
    counts: dict[str, int | float | str | None] = {"leftovers": leftovers, "large": large}
    if large < FEWEST_CLUSTERS:
        reason = f"few_clusters: there are {large} large clusters, {FEWEST_CLUSTERS} are needed"
        return Decision(_NONE, _NONE, counts | {"reason": reason})
    crowd = faces.exemplars(max(_LEAST, _EXEMPLARS // large))
    left, null = faces.nearest(max(1, _NULL // large), crowd, links(crowd, link_cosine))
    admitted, p = admission(left.similarities, null.similarities, null.clusters, error)
    joining = left.take(np.flatnonzero(admitted.joins))
    if len(joining.clusters):
        joining = faces.nearest_again(joining, crowd)
    targets = crowd.clusters[joining.targets]
    apart = forbidden(np.union1d(joining.clusters, targets))
    free = np.flatnonzero(permitted(joining.clusters, targets, p[admitted.joins], apart))
    facts = {
        "null_faces": len(null.clusters),
        "pi0": admitted.pi0,
        "p": admitted.p,
        "joined": len(free),
        "attached": int(joining.sizes[free].sum()),
        "reason": None if len(free) else admitted.reason or "forbidden: constraints forbid every join",
    }
    return Decision(joining.clusters[free], targets[free], counts | facts)


def compared(sizes: Indices, clusters: Indices, asked: tuple[Indices, Halves], crowd: Exemplars, to: Links) -> Compared:
    """Compare faces (ids, vectors) of clusters of some sizes with the large clusters that each may be compared with.

    A face of a leftover is compared with all. A face that may be compared with nobody has no row in the result.
    """
    own = np.where(sizes >= LARGE, np.searchsorted(crowd.clusters, clusters), -1)
    targets, near = nearest_cluster(*asked, own, crowd, to)
    return Compared(clusters, sizes, targets, near).take(np.flatnonzero(targets >= 0))


def leftovers_and_null(parts: Iterable[Compared]) -> tuple[Compared, Compared]:
    """Put what was compared in order: of leftovers, and of large clusters."""
    every = [Compared(_NONE, _NONE, _NONE, _NONE.astype(np.float64)), *parts]
    clusters, sizes, targets = (np.concatenate([part[at] for part in every]) for at in range(3))
    rows = Compared(clusters, sizes, targets, np.concatenate([part.similarities for part in every]))
    order = np.lexsort(rows[::-1])
    large = rows.sizes[order] >= LARGE
    return rows.take(order[~large]), rows.take(order[large])


class FacesHere:
    """Faces with their clusters, as arrays: clusters, ids int64 [n], vectors [n, D], medoids bool [n]."""

    def __init__(self, clusters: Indices, ids: Indices, vectors: npt.NDArray[np.float32], medoids: Flags) -> None:
        of, sizes = np.unique(clusters, return_inverse=True, return_counts=True)[1:]
        self._clusters, self._ids, self._medoids, self._sizes = clusters, ids, medoids, sizes[of]
        self._vectors = vectors.astype(np.float16)
        draws = xxhash64(ids).view(np.uint64) >> np.uint64(64 - DRAW_BITS)
        self._draws = draws.astype(np.float64) / 2.0**DRAW_BITS
        self._large = self._sizes >= LARGE

    def counts(self) -> tuple[int, int]:
        """Count the clusters below LARGE faces, and the others."""
        large = int(np.count_nonzero(self._medoids & self._large))
        return int(np.count_nonzero(self._medoids)) - large, large

    def exemplars(self, each: int) -> Exemplars:
        """Return the medoids of large clusters, and about `each` faces of everyone, but not more than about MOST."""
        rows = np.flatnonzero(self._large & (self._drawn(each) | self._medoids))
        return exemplars(self._clusters[rows], self._ids[rows], self._vectors[rows])

    def nearest(self, each: int, crowd: Exemplars, linked: Links) -> tuple[Compared, Compared]:
        """Compare leftovers with all large clusters, and about `each` faces of each large cluster with the others."""
        rows = np.flatnonzero((self._large & self._drawn(each)) | (~self._large & self._medoids))
        return leftovers_and_null([self._compared(rows, crowd, linked)])

    def nearest_again(self, joining: Compared, crowd: Exemplars) -> Compared:
        """Compare the medoids of those that join with all large clusters, grown by these medoids."""
        rows = np.flatnonzero(self._medoids & np.isin(self._clusters, joining.clusters))
        rows = rows[np.argsort(self._clusters[rows])]
        grown = with_joined(crowd, joining.targets, self._ids[rows], self._vectors[rows])
        unlinked = Links(*np.zeros((2, 0), np.int64))
        return leftovers_and_null([self._compared(rows, grown, unlinked)])[0]

    def _compared(self, rows: Indices, crowd: Exemplars, linked: Links) -> Compared:
        asked = self._ids[rows], self._vectors[rows]
        return compared(self._sizes[rows], self._clusters[rows], asked, crowd, linked)

    def _drawn(self, each: int) -> Flags:
        return np.asarray(self._draws * self._sizes.astype(np.float64) < float(min(MOST, each)))

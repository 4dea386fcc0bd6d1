"""Connected components on arrays."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


def connected(ids: Ints, src: Ints, dst: Ints) -> Ints:
    """Find connected components, each named by its smallest id.

    ids: int64 [V]; src, dst: int64 [E]. Returns int64 [V].

    >>> connected(np.array([1, 4, 3]), np.array([3]), np.array([4])).tolist()
    [1, 3, 3]
    """
    order = np.argsort(ids, kind="stable")
    ascending = ids[order]
    root = roots(len(ids), np.searchsorted(ascending, src), np.searchsorted(ascending, dst))
    clusters = np.empty_like(ascending)
    clusters[order] = ascending[root]
    return clusters


def roots(vertices: int, a: Ints, b: Ints) -> Ints:
    """Find connected components of positions, each named by its smallest position.

    a, b: int64 [E], ends of edges. Returns int64 [V]. Hooking to the smallest neighbour with pointer jumping, so that a
    path takes a logarithmic number of rounds.

    >>> roots(3, np.array([1]), np.array([2])).tolist()
    [0, 1, 1]
    """
    root = np.arange(vertices, dtype=np.int64)
    while np.any(root[a] != root[b]):
        least = np.minimum(root[a], root[b])
        np.minimum.at(root, root[a], least)
        np.minimum.at(root, root[b], least)
        while np.any(root[root] != root):
            root = root[root]
    return root

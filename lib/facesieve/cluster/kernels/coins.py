"""Several coins: votes that differ by their coin alone, and what their ends have in common.

A vote may come to any of several fixed points, and the coin decides to which. So each of K coins votes by itself, to a
verified fixed point of its own. Two faces agree in a coin if they end with one label. Of the voting edges those stay
whose ends agree in at least half of the coins. The components of these edges are the clusters. (Consensus of
partitions: Strehl and Ghosh 2002; Lancichinetti and Fortunato 2012.)

Example: three coins, the voting edges 1 - 2, 2 - 3 and 3 - 4, and of each edge the coins whose labels agree.

    face  labels     edge   agree in   stays      cluster
       1  1 1 1      1-2           3     yes            1
       2  1 1 1      2-3           1      no            1
       3  3 1 3      3-4           3     yes            3
       4  3 1 3                                         3
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

import numpy as np
import numpy.typing as npt

from facesieve.cluster.kernels.components import connected
from facesieve.cluster.kernels.whispers import Coin
from facesieve.faces.hashing import xxhash64

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Shares = npt.NDArray[np.float32]


def coins(heads: float, seed: int, number: int) -> list[Coin]:
    """Mint the coins of a vote: coin 0 has the seed itself, coin k the seed xxhash64(seed, k).

    The hashes are Spark's of two bigints, so that no two seeds have coins in common.

    >>> [coin.seed for coin in coins(0.75, 7, 3)]
    [7, 3110148328363424865, 4598994807287660699]
    """
    return [Coin(heads, int(xxhash64(seed, coin)[0]) if coin else seed) for coin in range(number)]


def agreeing(labels: Ints, src: Ints, dst: Ints) -> Flags:
    """Say which edges stay: those whose ends have one label in at least half of the coins.

    labels: int64 [V, K], by coin; src, dst: int64 [E], rows of labels. Returns bool [E].

    >>> agreeing(np.array([[1, 1], [1, 5], [3, 6]]), np.array([0, 0]), np.array([1, 2])).tolist()
    [True, False]
    """
    agreed = np.zeros(len(src), np.int64)
    for of_coin in np.ascontiguousarray(labels.T):
        agreed += of_coin[src] == of_coin[dst]
    return np.asarray(2 * agreed >= labels.shape[1])


def together(ids: Ints, labels: Ints, src: Ints, dst: Ints) -> Ints:
    """Find the clusters of a vote: components of the edges that stay, each named by its smallest id.

    ids: int64 [V]; labels: int64 [V, K], by coin; src, dst: int64 [E], the voting edges. Returns int64 [V]. With one
    coin this is `whispers.split`.

    >>> labels = np.array([[1, 1, 1], [1, 1, 1], [3, 1, 3], [3, 1, 3]])
    >>> together(np.array([1, 2, 3, 4]), labels, np.array([1, 2, 3]), np.array([2, 3, 4])).tolist()
    [1, 1, 3, 3]
    """
    order = np.argsort(ids, kind="stable")
    a, b = (order[np.searchsorted(ids[order], ends)] for ends in (src, dst))
    stay = agreeing(labels, a, b)
    return connected(ids, src[stay], dst[stay])


def stability(labels: Ints, medoid: int) -> Shares:
    """Return of each face of a cluster the share of coins in which it has the label of the cluster's medoid.

    labels: int64 [N, K]; medoid: a row. Returns float32 [N]. With one coin there is nothing to compare: 1.0.

    >>> stability(np.array([[1, 1], [1, 5], [3, 4]]), 0).tolist()
    [1.0, 0.5, 0.0]
    """
    if labels.shape[1] == 1:
        return np.ones(len(labels), np.float32)
    return np.asarray(np.mean(labels == labels[medoid], axis=1), dtype=np.float32)


def totals(histories: Sequence[Sequence[int]]) -> list[int]:
    """Add up the unsettled faces of each superstep over the coins; a coin that has ended adds nothing.

    >>> totals([[5, 2, 0], [5, 0]])
    [10, 2, 0]
    """
    return [sum(counts) for counts in zip_longest(*histories, fillvalue=0)]

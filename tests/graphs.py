"""Small graphs with known ways to go wrong, and many of them as one."""

from __future__ import annotations

from typing import NamedTuple

import networkx as nx
import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


class Graph(NamedTuple):
    """Face ids, and the ends and votes of each pair once."""

    ids: Ints
    src: Ints
    dst: Ints
    votes: Ints


def graph(shape: nx.Graph, seed: int, most: int = 1) -> Graph:
    """Give the vertices of `shape` random ids of either sign, and its edges votes from 1 to `most`."""
    rng = np.random.default_rng(seed)
    ids = rng.permutation(np.unique(rng.integers(-(2**63), 2**63 - 1, 2 * len(shape) + 2)))[: len(shape)]
    named = dict(zip(shape.nodes, ids.tolist(), strict=True))
    ends = np.array([sorted((named[a], named[b])) for a, b in shape.edges], dtype=np.int64).reshape(-1, 2)
    return Graph(ids, ends[:, 0], ends[:, 1], rng.integers(1, most + 1, len(ends)))


SHAPES = {
    "pair": nx.path_graph(2),
    "star": nx.star_graph(30),
    "path": nx.path_graph(40),
    "even cycle": nx.cycle_graph(24),
    "complete bipartite": nx.complete_bipartite_graph(4, 4),
    "cliques with a bridge": nx.barbell_graph(8, 0),
    "isolated": nx.empty_graph(5),
    "random": nx.gnm_random_graph(25, 50, seed=1),
}


def zoo(seed: int) -> Graph:
    """Unite all shapes, with equal votes and with unequal ones, in one graph in random order."""
    equal = [graph(shape, seed + number) for number, shape in enumerate(SHAPES.values())]
    unequal = [graph(shape, seed + 100 + number, most=3) for number, shape in enumerate(SHAPES.values())]
    ids, src, dst, votes = (np.concatenate(parts) for parts in zip(*equal, *unequal, strict=True))
    order = np.random.default_rng(seed).permutation(len(src))
    return Graph(ids, src[order], dst[order], votes[order])

"""How the known script cleans a folder, as the peer: edges at 1/distance > 0.75, Chinese Whispers, largest cluster.

Every pair of a folder whose L2 distance is below 1/0.75 (cosine above 0.111) is an edge of weight 1/distance; the
voting is `seed.chinese_whispers`; of each folder the largest cluster is kept if it has five faces.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import networkx as nx
import numpy as np
import numpy.typing as npt
from seed import chinese_whispers

INVERSE_L2 = 0.75
MIN_FACES = 5
ROUNDS = 20


def kept(vectors: npt.NDArray[np.float32], folders: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Say of each face (unit vectors [N, D], and the folder of each) whether the script keeps it."""
    members = defaultdict(list)
    for row, folder in enumerate(folders):
        members[folder].append(row)
    found = np.zeros(len(vectors), np.bool_)
    for rows in map(np.array, members.values()):
        found[rows[_largest(vectors[rows])]] = True
    return found


def _largest(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    distance = np.sqrt(np.maximum(2 - 2 * vectors.astype(np.float64) @ vectors.T, 1e-12))
    one, other = np.nonzero(np.triu(1 / distance > INVERSE_L2, 1))
    graph = nx.Graph()
    graph.add_nodes_from(range(len(vectors)))
    graph.add_weighted_edges_from(zip(one.tolist(), other.tolist(), (1 / distance[one, other]).tolist(), strict=True))
    labels = chinese_whispers(graph, ROUNDS)
    name, size = Counter(labels.values()).most_common(1)[0]
    members = [node for node, label in labels.items() if label == name]
    return np.array(sorted(members) if size >= MIN_FACES else [], np.int64)

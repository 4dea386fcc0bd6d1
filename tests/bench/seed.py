"""The known Chinese Whispers script on a networkx graph, as face-clustering projects pass it on: the peer to beat."""

from __future__ import annotations

import random
from collections import defaultdict

import networkx as nx


def chinese_whispers(graph: nx.Graph, rounds: int) -> dict[int, int]:
    """Let every node, in random order, take the label with the most weight among its neighbours; `rounds` times."""
    label = {node: node for node in graph}
    nodes = list(graph)
    rng = random.Random(0)
    for _ in range(rounds):
        rng.shuffle(nodes)
        for node in nodes:
            votes: dict[int, float] = defaultdict(float)
            for neighbour, facts in graph[node].items():
                votes[label[neighbour]] += facts["weight"]
            if votes:
                label[node] = max(votes, key=votes.__getitem__)
    return label

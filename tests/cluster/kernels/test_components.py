from __future__ import annotations

import networkx as nx
import numpy as np
from graphs import graph
from hypothesis import given, settings
from hypothesis import strategies as st

from facesieve.cluster.kernels.components import connected


@settings(deadline=None)
@given(st.integers(1, 30), st.integers(0, 40), st.integers(0, 2**32))
def test_equals_networkx(vertices: int, edges: int, seed: int) -> None:
    sample = graph(nx.gnm_random_graph(vertices, edges, seed=seed), seed)
    whole = nx.Graph(list(zip(sample.src.tolist(), sample.dst.tolist(), strict=True)))
    whole.add_nodes_from(sample.ids.tolist())
    names = {face: min(part) for part in nx.connected_components(whole) for face in part}
    assert connected(sample.ids, sample.src, sample.dst).tolist() == [names[face] for face in sample.ids.tolist()]


def test_a_long_path_and_nothing() -> None:
    path = np.arange(5_000)
    assert set(connected(path, path[:-1], path[1:]).tolist()) == {0}
    none = path[:0]
    assert connected(none, none, none).tolist() == []

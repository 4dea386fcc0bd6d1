"""Preferences that follow the moves are those that are summed anew after every move."""

from __future__ import annotations

from unittest import mock

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facesieve.cluster.kernels import hearing as kernel
from facesieve.cluster.kernels.hearing import Hearing
from facesieve.cluster.kernels.preferences import VotingGraph, preferences, voting_graph


def random_graph(faces: int, number: int, seed: int, most: int = 4) -> VotingGraph:
    rng = np.random.default_rng(seed)
    ends = np.array(nx.gnm_random_graph(faces, number, seed=seed).edges, np.int64).reshape(-1, 2)
    return voting_graph(faces, ends[:, 0], ends[:, 1], rng.integers(1, most, len(ends)))


@settings(deadline=None, max_examples=150)
@given(st.integers(1, 14), st.integers(0, 60), st.integers(0, 2**32), st.sampled_from([0, 1 << 24]), st.integers(1, 40))
def test_they_are_as_summed_anew(faces: int, number: int, seed: int, cells: int, at_once: int) -> None:
    graph, rng = random_graph(faces, number, seed), np.random.default_rng(seed)
    labels, every = rng.integers(0, faces, faces), np.arange(faces)
    preferred = preferences(labels, labels, graph, every)
    with mock.patch.multiple(kernel, _CELLS=cells, _AT_ONCE=at_once):
        hearing = Hearing(graph, preferred)
        for share in (0.9, 0.7, 0.4, 0.2, 0.1):
            moving = (rng.random(faces) < share) & (hearing.preferred != labels)
            before, labels = labels, np.where(moving, hearing.preferred, labels)
            hearing.after(before, labels, moving)
            preferred = preferences(labels, preferred, graph, every)
            assert hearing.preferred.tolist() == preferred.tolist()


def test_sums_stand_and_only_the_edges_of_movers_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = random_graph(60, 900, seed=3)
    labels = np.arange(60) % 3
    hearing = Hearing(graph, preferences(labels, labels, graph, np.arange(60)))
    moving = hearing.preferred != labels
    before, labels = labels, hearing.preferred
    hearing.after(before, labels, moving)
    monkeypatch.setattr(kernel, "_summed", None)
    monkeypatch.setattr(kernel, "preferences", None)
    one = np.arange(60) == 7
    before, labels = labels, np.where(one, (labels + 1) % 3, labels)
    hearing.after(before, labels, one)
    assert hearing.preferred.tolist() == preferences(labels, labels, graph, np.arange(60)).tolist()


def test_votes_that_a_sum_would_round_do_not_stand() -> None:
    graph = voting_graph(4, np.zeros(3, np.int64), np.arange(1, 4), np.array([2**53, 2**53 - 1, 2]))
    labels = np.array([0, 1, 2, 3])
    hearing = Hearing(graph, preferences(labels, labels, graph, labels))
    hearing.after(labels, np.array([0, 1, 2, 2]), np.array([False, False, False, True]))
    assert hearing.preferred.tolist() == [2, 0, 0, 0]

"""A whole scope by arrays; `tests/cluster/test_one_task.py` compares it with the tasks of a cluster."""

from __future__ import annotations

import numpy as np
import pytest
from factories import faces as synthetic
from two_people import IDS, PEOPLE, vectors, voting_edges

from facesieve.cluster.kernels.apart import Limits
from facesieve.cluster.kernels.coins import coins, together
from facesieve.cluster.kernels.constraints import VotingEdges
from facesieve.cluster.kernels.whispers import whispers
from facesieve.cluster.kernels.whole import Rule, Voters, clustered
from facesieve.faces.vectors import hits

PAIRS = np.zeros((0, 2), np.int64)
FREE = Limits(PAIRS, PAIRS, PAIRS[:, 0], PAIRS[:, 0])


def scope(least: float) -> tuple[Voters, VotingEdges]:
    ids, _, rows = synthetic(20, 12, seed=5)
    order = np.argsort(ids)
    ids, rows = ids[order], rows[order]
    left, right, cosines = hits(rows.astype(np.float16), rows.astype(np.float16), least)
    once = left < right
    votes = np.floor(cosines[once].astype(np.float64) * 2**20).astype(np.int64)
    return Voters(ids, ids, rows), VotingEdges(ids[left[once]], ids[right[once]], votes)


def test_it_is_the_vote_of_every_coin_and_what_they_hold_together() -> None:
    voters, edges = scope(0.72)
    minted = coins(0.75, 0, 4)
    end = clustered(voters, edges, FREE, Rule(minted, 500, None, 0.0))
    ends = [whispers(voters.ids, *edges, coin, 500) for coin in minted]
    assert end.histories == [each.unsettled for each in ends]
    labels = np.stack([each.labels for each in ends], axis=1)
    assert end.of.clusters.tolist() == together(voters.ids, labels, edges.src, edges.dst).tolist()
    assert (end.unstable, end.leftovers) == ([0] * 4, None)
    assert end.settled.all()
    assert not end.attached.any()


@pytest.mark.parametrize(("number", "people"), [(1, [1] * 9), (8, PEOPLE.tolist())])
def test_two_people_whom_one_coin_unites_are_two_by_eight(number: int, people: list[int]) -> None:
    voters = Voters(IDS, IDS, np.asarray(vectors(), np.float32))
    end = clustered(voters, VotingEdges(*voting_edges()[1:]), FREE, Rule(coins(0.75, 0, number), 500, None, 0.0))
    assert end.of.clusters.tolist() == people


def test_a_vote_that_is_cut_short_is_not_settled() -> None:
    voters, edges = scope(0.72)
    end = clustered(voters, edges, FREE, Rule(coins(0.75, 0, 2), 2, None, 0.0))
    assert [len(history) for history in end.histories] == [2, 2]
    assert not end.settled.all()
    assert min(end.unstable) > 0


def test_leftovers_join_unless_they_may_not() -> None:
    voters, edges = scope(0.5)
    left = voters.ids[7]
    without = VotingEdges(*(column[(edges.src != left) & (edges.dst != left)] for column in edges))
    rule = Rule(coins(0.75, 0, 2), 500, 0.6, 0.1)
    end = clustered(voters, without, FREE, rule)
    assert voters.ids[end.attached].tolist() == [left]
    joined = end.of.clusters == end.of.clusters[7]
    assert (end.of.sizes[joined].tolist(), end.of.medoids[joined].sum()) == ([12] * 12, 1)
    others = voters.ids[joined & (voters.ids != left)]
    apart = clustered(voters, without, FREE._replace(cannot=np.array([[others[3], left]])), rule)
    assert not apart.attached.any()
    assert apart.of.sizes[7] == 1
    photo = FREE._replace(photographed=np.array([left, others[2]]), photographs=np.array([4, 4]))
    assert not clustered(voters, without, photo, rule).attached.any()


def test_constraints_hold_at_the_end() -> None:
    voters, edges = scope(0.5)
    free = clustered(voters, edges, FREE, Rule(coins(0.75, 0, 2), 500, None, 0.0)).of.clusters
    other = voters.ids[free != free[0]][0]
    mate = voters.ids[free == free[0]][4]
    must, cannot = np.array([[voters.ids[0], other]]), np.array([[voters.ids[0], mate]])
    end = clustered(voters, edges, FREE._replace(must=must, cannot=cannot), Rule(coins(0.75, 0, 2), 500, None, 0.0))
    of = dict(zip(voters.ids.tolist(), end.of.clusters.tolist(), strict=True))
    assert of[voters.ids[0]] == of[other] != of[mate]

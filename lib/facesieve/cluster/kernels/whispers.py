"""Chinese Whispers on arrays: the reference semantics that the message passing on a cluster must equal to the bit.

Every face starts with its own id as label. In superstep t (from 1) every face looks. It sums the votes of its edges per
label of its neighbours. It prefers its own label if that is among the best, else the smallest of the best. If no face
prefers another label than its own, the vote has settled: a verified fixed point. Otherwise some of those that want
another label move, all at once, and the next superstep begins. A superstep is a look: the last one counts too, though
it finds nobody unsettled. At the limit the last superstep looks, and nobody moves any more.

Who moves: for t <= 40 those whose coin says so. With equal weights the coin might let faces swap labels for ever. So
later a wanting face moves whose (h, id) is the least among itself and its wanting neighbours. Such moves raise the
weight inside clusters, so the vote must end. (Biemann 2006, made synchronous and independent of order.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from facesieve.cluster.kernels.components import connected
from facesieve.cluster.kernels.hearing import Hearing
from facesieve.cluster.kernels.preferences import EXACT, VotingGraph, preferences, voting_graph
from facesieve.faces.hashing import xxhash64

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

COIN_STEPS = 40
"""Supersteps in which the coin is asked."""
COIN_BITS = 53
"""Bits of a draw."""
_CELLS_A_VOTE = 8
"""The proof counts in a table of all faces and labels that has up to so many cells for each vote."""


@dataclass(frozen=True)
class Coin:
    """The coin that lets a wanting face move: the share of heads (0 < share < 1) and the seed."""

    heads: float
    seed: int

    @property
    def bound(self) -> int:
        """Draws below this integer are heads."""
        return int(self.heads * 2**COIN_BITS)

    def draws(self, step: int, ids: Ints) -> Ints:
        """Draw for the faces `ids` (int64 [n]) in a superstep: integers in [0, 2^53), int64 [n].

        >>> Coin(heads=0.75, seed=0).draws(1, np.array([7, -8])).tolist()
        [991565524733006, 6652024184473938]
        """
        hashes = xxhash64(self.seed, step, ids).view(np.uint64) >> np.uint64(64 - COIN_BITS)
        return hashes.view(np.int64)


class Whispered(NamedTuple):
    """What the vote came to: label per face, supersteps, faces unsettled at the start of each, settled at last.

    wanting: the faces that prefer another label at last; none if settled.
    """

    labels: Ints
    supersteps: int
    unsettled: list[int]
    settled: bool
    wanting: Flags


class Start(NamedTuple):
    """Where a vote goes on: the label of each face (int64 [V]) after `supersteps` of them."""

    labels: Ints
    supersteps: int = 0


def whispers(ids: Ints, src: Ints, dst: Ints, votes: Ints, coin: Coin, max_supersteps: int) -> Whispered:
    """Let the faces whisper until nobody prefers another label, or `max_supersteps` is reached (not settled).

    ids: int64 [V], unique, in any order. src, dst: int64 [E], ends of each pair, once; votes: int64 [E], above 0.
    Returns labels int64 [V] in the order of `ids`.

    >>> ids = np.array([1, 2, 3, 9])
    >>> pairs = np.array([[1, 2], [2, 3], [1, 3]])
    >>> end = whispers(ids, pairs[:, 0], pairs[:, 1], np.array([5, 5, 4]), Coin(0.75, 0), 100)
    >>> len(set(end.labels[:3].tolist())), int(end.labels[3]), end.settled
    (1, 9, True)
    """
    return finish(ids, (src, dst, votes), Start(ids), coin, max_supersteps)


def finish(ids: Ints, edges: tuple[Ints, Ints, Ints], start: Start, coin: Coin, max_supersteps: int) -> Whispered:
    """Go on with a vote from the labels and the superstep where it stands; the rest as `whispers`.

    edges: src, dst, votes. Of a graph's components any may be left out in which nobody wants another label: the others
    whisper on as if it were there. So a vote may begin elsewhere and end here. A label is the id of a face, which need
    not be one of `ids`. The history that is returned is that of the supersteps done here.

    >>> pair = np.array([4]), np.array([7]), np.array([1])
    >>> finish(np.array([4, 7]), pair, Start(np.array([-2, -2]), 12), Coin(0.75, 0), 100).labels.tolist()
    [-2, -2]
    """
    return finish_all(ids, edges, [start], [coin], max_supersteps)[0]


def finish_all(
    ids: Ints, edges: tuple[Ints, Ints, Ints], starts: Sequence[Start], coins: Sequence[Coin], max_supersteps: int
) -> list[Whispered]:
    """Go on with the votes of several coins on one graph, each by itself as `finish`; a start for every coin.

    >>> pair = np.array([4]), np.array([7]), np.array([1])
    >>> start = Start(np.array([4, 7]))
    >>> [end.supersteps for end in finish_all(np.array([4, 7]), pair, [start] * 2, [Coin(0.5, 0), Coin(0.5, 1)], 100)]
    [2, 6]
    """
    vertices = np.unique(np.concatenate([ids, *(start.labels for start in starts)]))
    src, dst, votes = edges
    at = np.searchsorted(vertices, ids)
    graph = voting_graph(len(vertices), np.searchsorted(vertices, src), np.searchsorted(vertices, dst), votes)
    ends: list[Whispered] = []
    first: tuple[Ints, Ints] | None = None
    for start, coin in zip(starts, coins, strict=True):
        labels = np.arange(len(vertices), dtype=np.int64)
        labels[at] = np.searchsorted(vertices, start.labels)
        # Coins that begin alike look alike in their first superstep.
        if first is None or not np.array_equal(first[0], labels):
            first = labels, preferences(labels, labels, graph, np.arange(len(labels)))
        end = _whispered(vertices, graph, Start(labels, start.supersteps), first[1], (coin, max_supersteps))
        ends.append(end._replace(labels=vertices[end.labels[at]], wanting=end.wanting[at]))
    return ends


def _whispered(vertices: Ints, graph: VotingGraph, start: Start, preferred: Ints, rule: tuple[Coin, int]) -> Whispered:
    """Let all vertices whisper from labels and preferences on, as positions; rule: the coin and the last superstep."""
    (labels, done), (coin, max_supersteps) = start, rule
    hearing, unsettled = Hearing(graph, preferred), list[int]()
    for step in range(done + 1, max_supersteps + 1):
        wanting = hearing.preferred != labels
        unsettled.append(int(np.count_nonzero(wanting)))
        if unsettled[-1] == 0 or step == max_supersteps:
            break
        moving = _movers(wanting, coin.draws(step, vertices), graph, coin.bound if step <= COIN_STEPS else None)
        before, labels = labels, np.where(moving, hearing.preferred, labels)
        # Nobody but the neighbours of those that moved can come to prefer another label.
        hearing.after(before, labels, moving)
    return Whispered(labels, len(unsettled), unsettled, unsettled[-1] == 0, wanting)


def unstable_vertices(ids: Ints, labels: Ints, src: Ints, dst: Ints, votes: Ints) -> list[int]:
    """Count by coin the faces for which some label has more votes than their own: 0 is a fixed point.

    ids: int64 [V]; labels: int64 [V, K], by coin; src, dst, votes: int64 [E]. Returns K numbers. Shares no code with
    the vote, of which it is the proof.

    >>> ids, labels, votes = np.array([1, 2, 3]), np.array([[1, 1], [1, 1], [3, 1]]), np.array([5, 6])
    >>> unstable_vertices(ids, labels, ids[:2], ids[1:], votes)
    [2, 0]
    """
    order = np.argsort(ids)
    a, b = (order[np.searchsorted(ids[order], ends)] for ends in (src, dst))
    return unstable_positions(labels, a, b, votes)


def unstable_positions(labels: Ints, a: Ints, b: Ints, votes: Ints) -> list[int]:
    """Count as `unstable_vertices` does, of edges whose ends are rows of `labels`."""
    return unstable_receivers(labels, np.append(a, b), np.append(b, a), np.append(votes, votes))


def unstable_receivers(labels: Ints, receivers: Ints, senders: Ints, votes: Ints) -> list[int]:
    """Count as `unstable_positions` does, of directed edges: all edges into each of some faces."""
    return [_unstable(of_coin, receivers, senders, votes) for of_coin in np.ascontiguousarray(labels.T)]


def _unstable(labels: Ints, receivers: Ints, senders: Ints, votes: Ints) -> int:
    names, named = np.unique(labels, return_inverse=True)
    keys = receivers * len(names) + named[senders]
    cells = len(labels) * len(names)
    if cells > _CELLS_A_VOTE * len(votes):
        occurring, keys = np.unique(keys, return_inverse=True)
    else:
        occurring = np.arange(cells)
    sums = _summed(keys, votes, len(occurring))
    face, label = np.divmod(occurring, max(len(names), 1))
    most, for_own = np.zeros(len(labels), np.int64), np.zeros(len(labels), np.int64)
    np.maximum.at(most, face, sums)
    own = label == named[face]
    for_own[face[own]] = sums[own]
    return int(np.count_nonzero(for_own < most))


def _summed(keys: Ints, votes: Ints, number: int) -> Ints:
    """Sum votes by key, exactly."""
    if int(votes.max(initial=0)) * len(votes) < EXACT:
        return np.bincount(keys, votes, number).astype(np.int64)
    sums = np.zeros(number, np.int64)
    np.add.at(sums, keys, votes)
    return sums


def split(ids: Ints, labels: Ints, src: Ints, dst: Ints) -> Ints:
    """Split labels into parts connected by their own edges, each named by its smallest id.

    ids, labels: int64 [V]; src, dst: int64 [E], the voting edges. Returns cluster ids int64 [V].

    >>> split(np.array([1, 2, 3, 4]), np.array([9, 9, 9, 9]), np.array([2, 3]), np.array([3, 4])).tolist()
    [1, 2, 2, 2]
    """
    order = np.argsort(ids, kind="stable")
    a, b = (order[np.searchsorted(ids[order], ends)] for ends in (src, dst))
    within = labels[a] == labels[b]
    return connected(ids, src[within], dst[within])


def _movers(wanting: Flags, draws: Ints, graph: VotingGraph, bound: int | None) -> Flags:
    """Choose who moves: by the coin, or (no bound) the least draw of each wanting neighbourhood, ties to the id."""
    if bound is not None:
        moving: Flags = wanting & (draws < bound)
        return moving
    rank = np.empty_like(draws)
    rank[np.argsort(draws, kind="stable")] = np.arange(len(draws))
    rivals = np.flatnonzero(wanting)
    senders, receivers = graph.sender[graph.into(rivals)], np.repeat(rivals, graph.degrees(rivals))
    both = wanting[senders]
    least = np.full(len(draws), len(draws), dtype=np.int64)
    np.minimum.at(least, receivers[both], rank[senders[both]])
    return wanting & (rank < least)

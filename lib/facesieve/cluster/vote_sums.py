"""What the vertices of a vote hear in each superstep: by blocks of receivers while labels are few, else by joins."""

from __future__ import annotations

from pyspark import Broadcast
from pyspark.sql import functions as F

from facesieve.cluster.coin_columns import any_coin
from facesieve.cluster.components import connected_by
from facesieve.cluster.frames import DirectedEdges, Labels, Sums, VertexClusters, VoteState
from facesieve.cluster.messages import summed
from facesieve.cluster.vote_blocks import (
    Ints,
    Standing,
    VoteBlocks,
    fit_a_task,
    forest,
    heard,
    proof,
    stand,
    vote_blocks,
)
from facesieve.core.frames import broadcast_if_few

FILTER_BELOW = 0.25
"""Share of moved vertices under which it pays, where edges are joined, to look for their neighbours first."""


class VoteSums:
    """Sums of votes, superstep by superstep, for those who have a neighbour that moved, or for more."""

    def __init__(self, directed: DirectedEdges, count: int, coins: int) -> None:
        """Sum over `directed`, edges that lie with their receivers; count: the number of vertices."""
        self._directed, self.count, self._coins = directed, count, coins
        self._ids: Broadcast[Ints] | None = None
        self._standing: Broadcast[Standing] | None = None
        self._blocks: VoteBlocks | None = None

    def of(self, state: VoteState, moved: int) -> Sums:
        """Return what is heard after `moved` vertices have moved; what was returned before is not to be used again."""
        if fit_a_task(self.count, self._coins):
            return heard(*self._stand(state))
        return summed(state, self._near(state, moved), self.count, self._coins)

    def close(self) -> None:
        """Let go of everything that is held between supersteps."""
        for each in (self._standing, self._ids, self._blocks):
            if each is not None:
                each.unpersist()

    def end(self, labels: Labels) -> tuple[list[int], VertexClusters] | None:
        """Prove a vote's end, and find the clusters that its coins hold together; None where labels are many.

        The proof counts by coin the vertices for which some label has more votes than their own.
        """
        if not fit_a_task(self.count, self._coins):
            return None
        blocks, ids, standing = self._stand(labels)
        edges = forest(blocks, ids, standing)
        return proof(blocks, standing), connected_by(labels, edges)

    def _stand(self, state: VoteState | Labels) -> tuple[VoteBlocks, Broadcast[Ints], Broadcast[Standing]]:
        """Send all tasks where the vertices stand, and pack the edges if that has not been done."""
        context = state.sparkSession.sparkContext
        ids, standing = stand(state, self._coins)
        if self._blocks is None or self._ids is None:
            self._ids = context.broadcast(ids)
            self._blocks = vote_blocks(self._directed, self._ids)
        if self._standing is not None:
            self._standing.unpersist()
        self._standing = context.broadcast(standing)
        return self._blocks, self._ids, self._standing

    def _near(self, state: VoteState, moved: int) -> DirectedEdges:
        """Return the edges into the neighbours of those that moved, or all, where that is as much work."""
        directed = self._directed
        if moved > FILTER_BELOW * self.count:
            return directed
        movers = state.where(any_coin("moved", self._coins)).select(F.col("id").alias("src"))
        receivers = directed.join(broadcast_if_few(movers, moved), "src", how="left_semi").select("dst").distinct()
        return DirectedEdges(directed.join(broadcast_if_few(receivers, self.count), "dst", how="left_semi"))

"""Blocks of receivers: all edges into a face lie in one block, as bytes, so that a task sums what its faces hear.

While the labels of all vertices fit in a task, no edge moves and none is looked at by the JVM. Each superstep sends the
labels to all tasks. A task sums the votes by label and by coin, and hands on the labels that lead. Labels that cannot
win are not sent. A vertex is its position among all vertices, by id.

Example of the block of the receivers 4 and 9, the positions 2 and 3 of the vertices 1, 2, 4 and 9:

    src dst vote      receivers degrees senders votes
      1   4    5      [2, 3]    [1, 2]  [0, 0, 1] [5, 3, 2]
      1   9    3  ->
      2   9    2
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, NewType

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark import Broadcast, StorageLevel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.cluster.coin_columns import by_coin
from facesieve.cluster.frames import SUMS, DirectedEdges, Labels, Sums, VoteState
from facesieve.cluster.kernels.coins import agreeing
from facesieve.cluster.kernels.components import roots
from facesieve.cluster.kernels.leading import Leading, leading
from facesieve.cluster.kernels.preferences import VotingGraph
from facesieve.cluster.kernels.whispers import unstable_receivers
from facesieve.core.frames import SMALL_ROWS_AT_ONCE, columns, rows_at_once
from facesieve.faces.arrow_groups import tables
from facesieve.faces.blocks import RowBatches, batch_of, rows_of

Ints = npt.NDArray[np.int64]
Matrix = npt.NDArray[Any]

VoteBlocks = NewType("VoteBlocks", DataFrame)
"""The edges that vote, by receiver."""
VOTE_BLOCKS = columns("receivers binary, degrees binary, senders binary, votes binary")

_EDGES = 1 << 20
"""Edges of a block, about, unless a receiver has more."""
_STATE = columns("ids binary, labels binary, moved binary")
_STATE_ROWS = 1 << 16
_ID_BYTES, _LABEL_BYTES = 8, 4
_MOST_BYTES = 1 << 27
"""Of the ids and labels of all vertices, up to which they are sent to every task: 3.3 million of 8 coins."""


class Standing(NamedTuple):
    """What a superstep begins with: labels int32 [V, K], as positions by coin, and who moved in any coin, bool [V]."""

    labels: Matrix
    moved: Matrix


def vote_blocks(directed: DirectedEdges, ids: Broadcast[Ints]) -> VoteBlocks:
    """Pack edges that lie with their receivers, persisted when they are first read. ids: int64 [V], ascending."""
    packed = directed.select("src", "dst", "vote").mapInArrow(_pack(ids), VOTE_BLOCKS)
    with rows_at_once(directed.sparkSession, SMALL_ROWS_AT_ONCE):
        return VoteBlocks(packed.persist(StorageLevel.MEMORY_AND_DISK))


def stand(state: VoteState | Labels, coins: int) -> tuple[Ints, Standing]:
    """Collect where the vertices stand: their ids, ascending int64 [V], and their labels; without `moved` all have."""
    moved = F.col("moved") if "moved" in state.columns else F.transform("labels", lambda _: F.lit(True))
    with rows_at_once(state.sparkSession, SMALL_ROWS_AT_ONCE):
        rows = state.select("id", "labels", moved.alias("moved")).mapInArrow(_gather(coins), _STATE).collect()
    ids = np.concatenate([np.empty(0, np.int64), *(np.frombuffer(row.ids, np.int64) for row in rows)])
    labels = np.concatenate([np.empty(0, np.int64), *(np.frombuffer(row.labels, np.int64) for row in rows)])
    movers = np.concatenate([np.empty(0, np.bool_), *(np.frombuffer(row.moved, np.bool_) for row in rows)])
    order = np.argsort(ids)
    ids = ids[order]
    return ids, Standing(np.searchsorted(ids, labels.reshape(-1, coins)[order]).astype(np.int32), movers[order])


def fit_a_task(vertices: int, coins: int) -> bool:
    """Whether every task may hold the ids of so many vertices, and what they begin a superstep with."""
    return vertices * (_ID_BYTES + _LABEL_BYTES * coins) <= _MOST_BYTES


def heard(blocks: VoteBlocks, ids: Broadcast[Ints], standing: Broadcast[Standing]) -> Sums:
    """Sum what is heard by those who have a neighbour that moved; lazy."""
    return Sums(blocks.mapInArrow(_hear(ids, standing), SUMS))


def proof(blocks: VoteBlocks, standing: Broadcast[Standing]) -> list[int]:
    """Count by coin the vertices for which some label has more votes than their own, by code that no vote shares."""
    rows = blocks.mapInArrow(_prove(standing), "unstable binary").collect()
    counts = [np.frombuffer(row.unstable, np.int64) for row in rows]
    return [int(number) for number in sum(counts, np.zeros(standing.value.labels.shape[1], np.int64))]


def forest(blocks: VoteBlocks, ids: Broadcast[Ints], standing: Broadcast[Standing]) -> DataFrame:
    """Connect vertices by the edges that at least half of the coins hold together, block by block: src, dst; lazy.

    Of a block's edges those stay that its components need. The components of what stays are those of all edges.
    """
    return blocks.mapInArrow(_connect(ids, standing), "src bigint, dst bigint")


def _gather(coins: int) -> RowBatches:
    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for rows in tables(batches, _STATE_ROWS):
            labels, moved = (by_coin(rows[name], coins) for name in ("labels", "moved"))
            yield batch_of(ids=[rows["id"].to_numpy()], labels=[labels], moved=[moved.any(axis=1)])

    return run


def _pack(ids: Broadcast[Ints]) -> RowBatches:
    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        parts = [[column.to_numpy() for column in batch.columns] for batch in batches if batch.num_rows]
        if not parts:
            return
        src, dst, votes = (np.concatenate(column) for column in zip(*parts, strict=True))
        parts.clear()
        order = np.argsort(dst, kind="stable")
        senders, votes = np.searchsorted(ids.value, src[order]), votes[order]
        receivers, degrees = np.unique(dst, return_counts=True)
        receivers, ends = np.searchsorted(ids.value, receivers), np.cumsum(degrees)
        for rows in np.split(np.arange(len(receivers)), np.flatnonzero(np.diff(ends // _EDGES)) + 1):
            inside = slice(int(ends[rows[0]] - degrees[rows[0]]), int(ends[rows[-1]]))
            yield batch_of(
                receivers=[receivers[rows]], degrees=[degrees[rows]], senders=[senders[inside]], votes=[votes[inside]]
            )

    return run


def _hear(ids: Broadcast[Ints], standing: Broadcast[Standing]) -> RowBatches:
    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        labels, moved = standing.value
        for row in rows_of(batches):
            receivers, degrees, senders, votes = (np.frombuffer(row[name], np.int64) for name in VOTE_BLOCKS.names)
            starts = np.zeros(len(labels) + 1, np.int64)
            starts[receivers + 1] = degrees
            graph = VotingGraph(senders, votes, np.cumsum(starts))
            hearing = receivers[np.logical_or.reduceat(moved[senders], np.cumsum(degrees) - degrees)]
            if len(hearing):
                yield _laid_out(
                    [leading(hearing, of_coin, graph) for of_coin in np.ascontiguousarray(labels.T)], ids.value
                )

    return run


def _prove(standing: Broadcast[Standing]) -> RowBatches:
    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for receivers, senders, votes in _edges_of(batches):
            yield batch_of(unstable=[np.array(unstable_receivers(standing.value.labels, receivers, senders, votes))])

    return run


def _connect(ids: Broadcast[Ints], standing: Broadcast[Standing]) -> RowBatches:
    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for receivers, senders, _ in _edges_of(batches):
            stay = agreeing(standing.value.labels, receivers, senders)
            root = roots(len(ids.value), receivers[stay], senders[stay])
            joined = np.flatnonzero(root != np.arange(len(root)))
            yield batch_of(src=ids.value[root[joined]], dst=ids.value[joined])

    return run


def _edges_of(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[Ints, Ints, Ints]]:
    """Unpack blocks: receivers, senders, votes of directed edges."""
    for row in rows_of(batches):
        receivers, degrees, senders, votes = (np.frombuffer(row[name], np.int64) for name in VOTE_BLOCKS.names)
        yield np.repeat(receivers, degrees), senders, votes


def _laid_out(coins: list[Leading], ids: Ints) -> pa.RecordBatch:
    """Lay out what leads in any coin: a row for each face and label, with the votes by coin; null where it does not."""
    keys = [each.faces * len(ids) + each.labels for each in coins]
    pairs = np.unique(np.concatenate(keys))
    votes, silent = np.zeros((len(pairs), len(coins)), np.int64), np.ones((len(pairs), len(coins)), np.bool_)
    for coin, (key, each) in enumerate(zip(keys, coins, strict=True)):
        row = np.searchsorted(pairs, key)
        votes[row, coin], silent[row, coin] = each.votes, False
    face, label = np.divmod(pairs, len(ids))
    by_pair = np.arange(len(pairs) + 1, dtype=np.int32) * len(coins)
    arrays = pa.ListArray.from_arrays(by_pair, pa.array(votes.ravel(), mask=silent.ravel()))
    return pa.RecordBatch.from_pydict({"src": ids[label], "dst": ids[face], "votes": arrays})

"""Vote, verify, split: groups of faces that voting edges hold together, by messages or, if few enough, in one task."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.cluster.components import parts
from facesieve.cluster.fixed_point import discontent
from facesieve.cluster.kernels import whispers as kernel
from facesieve.cluster.local_finish import column
from facesieve.cluster.supersteps import Voting, whispers
from facesieve.core.errors import InvariantError
from facesieve.faces.blocks import RowBatches, batch_of, gathered, rows_of

_PACKED = "src binary, dst binary, votes binary, ids binary, labels binary"
_PACK_ROWS = 1 << 17
_VOTED = "id long, settled boolean, cluster long, unsettled array<long>, discontent long"


@dataclass(frozen=True)
class Voted:
    """What a vote came to.

    rows: id, settled boolean (the face prefers its own label), cluster (the smallest id of its group), all vertices,
    persisted. unsettled: faces that preferred another label than their own when each superstep began; its last entry
    is 0 if settled. finished_locally: the supersteps that one task has done.
    """

    rows: DataFrame
    unsettled: list[int]
    finished_locally: int

    @property
    def settled(self) -> bool:
        """Nobody wants another label."""
        return self.unsettled[-1] == 0

    @property
    def supersteps(self) -> int:
        """Supersteps done, the last of which moved nobody."""
        return len(self.unsettled)


def vote(vertices: DataFrame, edges: DataFrame, voting: Voting) -> Voted:
    """Let the faces whisper, prove that they have settled, and split labels whose edges do not connect them.

    vertices, edges: as `supersteps.whispers` takes them; the edges are counted first. Raises InvariantError if a vote
    that has settled is not at a fixed point.
    """
    if edges.count() <= voting.settings.finish_locally_below:
        return _in_one_task(vertices, edges, voting)
    outcome = whispers(vertices, edges, voting)
    if outcome.settled:
        _verify(discontent(outcome.labels, outcome.mirrored, outcome.faces))
    clusters = parts(outcome.labels, outcome.mirrored, outcome.faces)
    rows = outcome.labels.join(clusters, "id", how="inner").select("id", "settled", "cluster").persist()
    rows.count()
    outcome.mirrored.unpersist()
    return Voted(rows, outcome.unsettled, outcome.finished_locally)


def _verify(wanting: int) -> None:
    if wanting:
        raise InvariantError(f"the vote is said to have settled, but {wanting} faces prefer another label")


def _in_one_task(vertices: DataFrame, edges: DataFrame, voting: Voting) -> Voted:
    begun = vertices.where("id <> label").mapInArrow(_pack_labels, _PACKED)
    packed = edges.select("src", "dst", "vote").mapInArrow(_pack_edges, _PACKED).unionByName(begun)
    found = packed.repartition(1).mapInArrow(_vote(voting), _VOTED).persist()
    told = found.where(F.col("unsettled").isNotNull()).collect()
    unsettled = list(told[0].unsettled) if told else [0]
    for step, wanting in enumerate(unsettled, start=1):
        voting.report(step, wanting)
    if unsettled[-1] == 0:
        _verify(told[0].discontent if told else 0)
    settled, cluster = F.coalesce("settled", F.lit(True)), F.coalesce("cluster", "id")
    rows = vertices.select("id").join(found, "id", how="left")
    voted = rows.select("id", settled.alias("settled"), cluster.alias("cluster")).persist()
    voted.count()
    found.unpersist()
    return Voted(voted, unsettled, len(unsettled))


def _pack_edges(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    none = [np.empty(0, np.int64)]
    for held in gathered(batches, len, _PACK_ROWS):
        src, dst, votes = ([column(held, name)] for name in ("src", "dst", "vote"))
        yield batch_of(src=src, dst=dst, votes=votes, ids=none, labels=none)


def _pack_labels(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    none = [np.empty(0, np.int64)]
    for held in gathered(batches, len, _PACK_ROWS):
        yield batch_of(src=none, dst=none, votes=none, ids=[column(held, "id")], labels=[column(held, "label")])


def _vote(voting: Voting) -> RowBatches:
    settings = voting.settings
    coin = kernel.Coin(settings.update_fraction, settings.seed)

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        received = list(rows_of(batches))
        src, dst, votes, known, begun = (
            np.concatenate([np.empty(0, np.int64), *(np.frombuffer(row[name], np.int64) for row in received)])
            for name in ("src", "dst", "votes", "ids", "labels")
        )
        if not len(src):
            return
        ids = np.unique(np.append(src, dst))
        labels = ids.copy()
        there = np.isin(known, ids)
        labels[np.searchsorted(ids, known[there])] = begun[there]
        found = kernel.finish(ids, (src, dst, votes), kernel.Start(labels), coin, settings.max_supersteps)
        proof = kernel.discontent(ids, found.labels, src, dst, votes)
        yield pa.RecordBatch.from_pydict(
            {
                "id": ids,
                "settled": ~found.wanting,
                "cluster": kernel.split(ids, found.labels, src, dst),
                "unsettled": pa.array([found.unsettled, *[None] * (len(ids) - 1)], pa.list_(pa.int64())),
                "discontent": np.full(len(ids), proof),
            }
        )

    return run

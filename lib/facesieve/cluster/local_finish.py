"""What remains of a vote when few faces are unsettled, and its end in one task, by the kernel.

What remains is all voting edges of the connected components that hold an unsettled face: with the neighbours of the
unsettled alone the result would differ, with whole components it is the same to the bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.cluster.kernels.whispers import Coin, Start, finish
from facesieve.core import config

HOPS = 30
"""Hops after which components count as too wide to be worth finishing in one task."""

Ints = npt.NDArray[np.int64]

_ENDED = "id long, label long, wanting boolean, unsettled array<long>"
_EDGE = ("src", "dst", "vote", "src_label", "dst_label")


class Ended(NamedTuple):
    """The end of a vote: id, label, wanting of the faces that remained (persisted), and the history of this part."""

    faces: DataFrame
    unsettled: list[int]


def remaining(unsettled: DataFrame, mirrored: DataFrame, most: int) -> DataFrame | None:
    """Return the edges (src < dst, vote) of the components of the unsettled faces; None if they are more than `most`.

    unsettled: id. mirrored: src, dst, vote, edges in both directions. One hop along edges at a time.
    """
    reached = fresh = unsettled.select("id").checkpoint()
    count = reached.count()
    for _ in range(HOPS):
        # A component has no fewer edges than faces but one; twice its faces is a bound that needs no edge counted.
        if count > 2 * most:
            return None
        near = mirrored.join(fresh.withColumnRenamed("id", "src"), "src", how="left_semi")
        fresh = near.select(F.col("dst").alias("id")).distinct().join(reached, "id", how="left_anti").checkpoint()
        grown = fresh.count()
        if grown == 0:
            left = mirrored.where("src < dst").join(reached.withColumnRenamed("id", "src"), "src", how="left_semi")
            return left if left.count() <= most else None
        reached, count = reached.unionByName(fresh), count + grown
    return None


def ended(labels: DataFrame, left: DataFrame, done: int, settings: config.Cluster) -> Ended:
    """Let the faces at the ends of `left` whisper on in one task after `done` supersteps.

    labels: id, label. left: src, dst, vote.
    """
    both = labelled(left, labels).select(*_EDGE).repartition(1)
    faces = both.mapInArrow(_finisher(done, settings), _ENDED).persist()
    told = faces.where(F.col("unsettled").isNotNull()).select("unsettled").collect()
    return Ended(faces.select("id", "label", "wanting"), list(told[0].unsettled))


def labelled(edges: DataFrame, labels: DataFrame) -> DataFrame:
    """Add to edges (src, dst, and others) the labels (id, label) of their ends: src_label, dst_label."""
    source, target = (
        labels.select(F.col("id").alias(end), F.col("label").alias(f"{end}_label")) for end in ("src", "dst")
    )
    return edges.join(source, "src", how="inner").join(target, "dst", how="inner")


def column(batches: list[pa.RecordBatch], name: str) -> Ints:
    """Return a bigint column of record batches as one array."""
    return np.concatenate([batch.column(name).to_numpy() for batch in batches])


def _finisher(done: int, settings: config.Cluster) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    coin, limit = Coin(settings.update_fraction, settings.seed), settings.max_supersteps

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        held = list(batches)
        src, dst, votes, src_labels, dst_labels = (column(held, name) for name in _EDGE)
        ids, first = np.unique(np.concatenate([src, dst]), return_index=True)
        labels = np.concatenate([src_labels, dst_labels])[first]
        found = finish(ids, (src, dst, votes), Start(labels, done), coin, limit)
        history = pa.array([found.unsettled, *[None] * (len(ids) - 1)], pa.list_(pa.int64()))
        yield pa.RecordBatch.from_arrays(
            [pa.array(ids), pa.array(found.labels), pa.array(found.wanting), history],
            names=["id", "label", "wanting", "unsettled"],
        )

    return run

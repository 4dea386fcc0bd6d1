"""The full join: settings derived, all pairs found in a pass or two, recall measured, degree cap applied."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import reduce
from typing import Any

import numpy as np
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.core.console import count
from facesieve.core.tables import EDGES, EPOCHS, Edges, Epochs
from facesieve.lake.records import LinkRecord
from facesieve.lake.run import Stage
from facesieve.lake.versions import Change
from facesieve.link.collection import Collection
from facesieve.link.degree_cap import degree_cap
from facesieve.link.edges import Plan, Tally, edges, partition_keys
from facesieve.link.epoch import Epoch, faces_rows, settings_row, stored_faces
from facesieve.link.kernels.block_pairs import EdgeRule
from facesieve.link.kernels.voronoi import SAMPLE_PER_PIVOT, learn_pivots, pivot_count
from facesieve.link.layout import derived, global_layout, identity_layout
from facesieve.link.recall import Recall, RecallSample, recall
from facesieve.link.routing import RoutedBlocks, Routing, routed

_log = logging.getLogger(__name__)

EXACT_BELOW = 20_000
"""Faces up to which comparing all pairs costs less than finding out which to compare."""


def join(stage: Stage, collection: Collection, epoch: Epoch, *, begins: bool) -> LinkRecord:
    """Join all scopes of the epoch and commit edges and epoch as a version each.

    An epoch that begins gets its routing. After a second pass the epoch is stored with the wider probes.
    """
    sample = _recall_sample(stage, collection, epoch, begins=begins)
    if begins and sample is not None:
        epoch = replace(epoch, routing=_routing(stage, collection, epoch, sample))
    # The epoch is committed first, so that the edges' version names the epoch that they belong to.
    with stage.change(EDGES) as change, stage.change(EPOCHS) as storing:
        passes = _Passes(stage, collection, sample, storing, change)
        change.overwrite(passes.edges(epoch, list(epoch.cosines)))
        epoch = epoch if sample is None else passes.to_goal(epoch, sample)
        capped = cap(change, epoch, stage.run.config.link.max_neighbours)
        storing.append(settings_row(epoch, stage), last=True)
    cells, candidates = passes.compared()
    record = epoch.record(collection.total, stage.count(EDGES))
    return replace(record, cells=cells, candidates=candidates, capped=capped)


def cap(change: Change, epoch: Epoch, most: int) -> int | None:
    """Take away the edges that `link.max_neighbours` leaves no room for; return the number of capped faces."""
    if not most:
        return None
    faces = 0
    for scope in epoch.cosines:
        capped = degree_cap(Edges(change.read().where(F.col("scope") == scope)), most)
        faces += capped.faces
        if capped.faces:
            change.delete(capped.removed.withColumn("scope", F.lit(scope)))
            _log.info(
                f"link {scope}: {count(capped.faces)} faces had more than link.max_neighbours = {most} neighbours"
            )
    return faces


def _recall_sample(stage: Stage, collection: Collection, epoch: Epoch, *, begins: bool) -> RecallSample | None:
    """Find true edges to measure recall on; None where recall is not asked for, or stays what the epoch has measured.

    An epoch that goes on with a single cell compares all pairs, as when it began.
    """
    if "global" not in epoch.cosines or stage.run.config.link.method == "exact":
        return None
    if not begins and epoch.routing.pivots is None:
        return None
    return RecallSample(collection, epoch.cosines["global"])


def _routing(stage: Stage, collection: Collection, epoch: Epoch, sample: RecallSample) -> Routing:
    """Derive pivots, probes and margin of an epoch that begins, for the recall that is asked for."""
    if collection.total <= EXACT_BELOW:
        _log.info(f"link global: {count(collection.total)} faces are few, so all pairs are compared")
        return epoch.routing
    cells, cosine = pivot_count(collection.total), epoch.cosines["global"]
    learned = slice(0, cells * SAMPLE_PER_PIVOT)
    pivots = learn_pivots(collection.sample.ids[learned], collection.sample.vectors[learned], cells, cosine)
    goal = stage.run.config.link.recall
    routing, settings = derived(pivots, collection.sample, collection.total, sample.to_derive(), goal)
    _log.info(
        f"link global: {count(len(pivots))} cells, {routing.probes} probes within {routing.margin:g} of the nearest;"
        f" expected recall {settings.recall:.4f}, {settings.products:.0f} comparisons a face"
    )
    return routing


class _Passes:
    """Passes of the join over the faces of a collection, and what they compare in all."""

    def __init__(
        self, stage: Stage, collection: Collection, sample: RecallSample | None, storing: Change, change: Change
    ) -> None:
        self._stage, self._collection, self._storing, self._change = stage, collection, storing, change
        self._whole = np.sort(sample.ids) if sample is not None else np.zeros(0, np.int64)
        self._tallies: list[Any] = []

    def to_goal(self, epoch: Epoch, sample: RecallSample) -> Epoch:
        """Measure the recall; below the goal, let a pass with wider probes add the pairs that are missing."""
        goal, first = self._stage.run.config.link.recall, None
        measured = _measured(self._change, sample)
        wider = _wider(self._collection, epoch, sample, goal, measured.recall) if _short(measured, goal) else None
        if wider is not None:
            first = measured.recall
            self._change.append(self.edges(wider, ["global"], earlier=epoch.routing))
            measured = _measured(self._change, sample)
        if _short(measured, goal):
            self._stage.run.warn(
                f"link: recall {measured.recall:.4f} is below link.recall = {goal:g}, after all that a second pass"
                ' could add; link.method = "exact" finds all edges'
            )
        recalls = {"recall": measured.recall, "recall_low": measured.low, "recall_high": measured.high}
        return replace(wider or epoch, facts={**epoch.facts, **recalls, "lsh_recall": first})

    def edges(self, epoch: Epoch, scopes: list[str], earlier: Routing | None = None) -> Edges:
        """Store the epoch's faces and find their edges of these scopes, less an earlier routing's candidates."""
        self._storing.overwrite(faces_rows(epoch, routed(self._collection.blocks, epoch.routing)))
        faces = stored_faces(Epochs(self._storing.read()))
        by_scope: list[DataFrame] = [self._of_scope(faces, epoch, scope, earlier) for scope in scopes]
        return Edges(reduce(DataFrame.unionByName, by_scope))

    def compared(self) -> tuple[int, int]:
        """Sub-cells and candidate pairs, once the edges are written."""
        sums = np.array([pair for tally in self._tallies for pair in tally.value.values()], np.int64).reshape(-1, 2)
        cells, candidates = (int(value) for value in sums.sum(axis=0))
        return cells, candidates

    def _of_scope(self, faces: RoutedBlocks, epoch: Epoch, scope: str, earlier: Routing | None) -> Edges:
        every = self._collection
        if scope == "identity":
            layout = identity_layout(every.faces, every.cores)
        else:
            layout = global_layout(epoch.routing, every.sample, every.total, every.cores)
        rule = EdgeRule(epoch.cosines[scope], self._stage.run.config.link.max_neighbours, self._whole)
        tally = faces.sparkSession.sparkContext.accumulator({}, Tally())
        self._tallies.append(tally)
        return edges(faces, Plan(scope, rule, layout, partition_keys(layout.parts), earlier), tally)


def _short(measured: Recall, goal: float) -> bool:
    return measured.recall is not None and measured.recall < goal


def _measured(change: Change, sample: RecallSample) -> Recall:
    measured = recall(Edges(change.read()), sample.ids, sample.degrees)
    basis = f"{count(measured.true_edges)} true neighbours of {count(measured.faces)} sampled faces"
    if measured.recall is None:
        _log.info(f"link global: recall unknown: only {basis}")
    else:
        _log.info(
            f"link global: recall {measured.recall:.4f} ({measured.low:.4f} to {measured.high:.4f}), from {basis}"
        )
    return measured


def _wider(
    collection: Collection, epoch: Epoch, sample: RecallSample, goal: float, reached: float | None
) -> Epoch | None:
    """Derive wider probes from all true edges at hand; None if none are wider."""
    routing = epoch.routing
    if routing.pivots is None or reached is None:
        return None
    aim = min(2 * goal - reached, (1 + goal) / 2)
    wider = derived(routing.pivots, collection.sample, collection.total, sample.all(), aim)[0]
    probes, margin = max(wider.probes, routing.probes), max(wider.margin, routing.margin)
    if (probes, margin) == (routing.probes, routing.margin):
        return None
    _log.info(f"link global: recall is below link.recall; a second pass with {probes} probes within {margin:g}")
    return replace(epoch, routing=Routing(routing.pivots, probes, margin))

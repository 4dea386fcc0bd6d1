"""The full join: settings derived from the heap, all pairs found in one or two passes, recall measured, cap applied."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import numpy as np
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.core.console import count
from facesieve.core.tables import EDGES, EPOCHS, Edges
from facesieve.faces.blocks import Faces
from facesieve.lake.run import Stage
from facesieve.lake.versions import Change
from facesieve.link.degree_cap import capped
from facesieve.link.edges import Plan, Routing, Tally, edges, partition_keys, routed
from facesieve.link.epoch import FACES, Epoch, faces_rows, settings_row
from facesieve.link.kernels import recall as sampling
from facesieve.link.kernels.block_pairs import Asked
from facesieve.link.kernels.probe_tuning import Settings, TrueEdges
from facesieve.link.kernels.voronoi import SAMPLE_PER_PIVOT, learn_pivots, pivot_count
from facesieve.link.layout import COST_SAMPLE, derived, heap_layout, identity_layout
from facesieve.link.recall import Recall, recall, truth

_log = logging.getLogger(__name__)

EXACT_BELOW = 20_000
"""Faces up to which comparing all pairs costs less than finding out which to compare."""


@dataclass(frozen=True)
class Heap:
    """The faces of a run: as rows (face_id, identity, vector), packed, their number, and a sample by id hash.

    The sample's last faces serve to derive settings and to measure recall, its first to learn pivots.
    """

    faces: DataFrame
    packed: DataFrame
    total: int
    sample: Faces

    @property
    def cores(self) -> int:
        """Tasks that run at a time."""
        return self.packed.sparkSession.sparkContext.defaultParallelism

    def known(self, number: int) -> Faces:
        """Return the last faces of the sample."""
        return Faces(self.sample.ids[-number:], self.sample.codes[-number:], self.sample.vectors[-number:])


def sample_size(total: int) -> int:
    """Number of faces to sample of so many."""
    return max(COST_SAMPLE, pivot_count(total) * SAMPLE_PER_PIVOT) + sampling.MOST_FACES


class Known:
    """True edges of a few faces: half of them to derive settings from, the other half to measure recall on."""

    def __init__(self, heap: Heap, cosine: float) -> None:
        self._heap = heap
        faces = heap.known(2 * sampling.FEWEST_FACES)
        self._truth = truth(heap.packed, faces, cosine)
        half = len(faces.ids) // 2 if heap.total >= 2 * sampling.FEWEST_FACES else 0
        self.ids, self.degrees = faces.ids[half:], self._truth.degrees[half:]
        self._half = half
        if self.degrees.sum() < sampling.ENOUGH_EDGES and heap.total > len(faces.ids):
            self._more(cosine)

    def _more(self, cosine: float) -> None:
        faces = self._heap.known(sampling.MOST_FACES)
        degrees = truth(self._heap.packed, faces, cosine).degrees[::-1]
        needed = sampling.enough_faces(degrees)
        self.ids, self.degrees = faces.ids[::-1][:needed], degrees[:needed]

    def to_derive(self) -> TrueEdges:
        """True edges of the faces that recall is not measured on (of all, in a heap too small to part)."""
        found, half = self._truth.edges, self._half or len(self._truth.edges.faces)
        mine = found.of < half
        return TrueEdges(found.faces[:half], found.of[mine], found.others[mine], found.weights[mine])

    def all(self) -> TrueEdges:
        """All true edges that are known with both ends."""
        return self._truth.edges


def begin(stage: Stage, heap: Heap, epoch: Epoch) -> tuple[Epoch, Known | None]:
    """Derive pivots, probes and margin of an epoch that begins, for the recall that is asked for."""
    settings = stage.run.config.link
    if "global" not in epoch.cosines or settings.method == "exact":
        return epoch, None
    known = Known(heap, epoch.cosines["global"])
    if heap.total <= EXACT_BELOW:
        _log.info(f"link global: {count(heap.total)} faces are few, so all pairs are compared")
        return epoch, known
    cells = pivot_count(heap.total)
    learned = slice(0, cells * SAMPLE_PER_PIVOT)
    pivots = learn_pivots(heap.sample.ids[learned], heap.sample.vectors[learned], cells, epoch.cosines["global"])
    routing, found = derived(pivots, heap.sample, heap.total, known.to_derive(), settings.recall)
    _log.info(f"link global: {_spoken(routing, found)}")
    return replace(epoch, routing=routing), known


def _spoken(routing: Routing, found: Settings) -> str:
    cells = 1 if routing.pivots is None else len(routing.pivots)
    return (
        f"{count(cells)} cells, {routing.probes} probes within {routing.margin:g} of the nearest;"
        f" expected recall {found.recall:.4f}, {found.products:.0f} comparisons a face"
    )


def join(stage: Stage, heap: Heap, epoch: Epoch, known: Known | None) -> tuple[Epoch, dict[str, Any]]:
    """Join all scopes of the epoch and commit edges and epoch as one version each.

    Returns the epoch as it is kept (with wider probes after a second pass), and facts for the ledger.
    """
    # The epoch is committed first, so that the edges' version names the one that it belongs to.
    with stage.change(EDGES) as change, stage.change(EPOCHS) as kept:
        passes = _Passes(stage, heap, known, kept, change)
        change.overwrite(passes.edges(epoch, list(epoch.cosines)))
        epoch = epoch if known is None else passes.to_goal(epoch, known)
        capped = cap(change, epoch, stage.run.config.link.max_neighbours)
        kept.append(settings_row(epoch, stage), last=True)
    facts = passes.facts() | {"probes": epoch.routing.probes, "capped": capped}
    return epoch, dict(epoch.told) | facts | {"edges": stage.read(EDGES).count()}


def _short(measured: Recall, goal: float) -> bool:
    return measured.recall is not None and measured.recall < goal


def cap(change: Change, epoch: Epoch, most: int) -> int | None:
    """Take away the edges that `link.max_neighbours` leaves no room for; return the number of capped faces."""
    if not most:
        return None
    faces = 0
    for scope in epoch.cosines:
        held = capped(change.read().where(F.col("scope") == scope), most)
        faces += held.faces
        if held.faces:
            change.delete(held.removed.withColumn("scope", F.lit(scope)))
            _log.info(f"link {scope}: {count(held.faces)} faces had more than link.max_neighbours = {most} neighbours")
    return faces


def _measured(change: Change, known: Known) -> Recall:
    measured = recall(Edges(change.read()), known.ids, known.degrees)
    sample = f"{count(measured.true_edges)} true neighbours of {count(measured.faces)} sampled faces"
    if measured.recall is None:
        _log.info(f"link global: recall unknown: only {sample}")
    else:
        _log.info(
            f"link global: recall {measured.recall:.4f} ({measured.low:.4f} to {measured.high:.4f}), from {sample}"
        )
    return measured


def _wider(heap: Heap, epoch: Epoch, known: Known, goal: float, reached: float | None) -> Epoch | None:
    """Derive wider probes from all known edges; None if none are wider."""
    routing = epoch.routing
    if routing.pivots is None or reached is None:
        return None
    aim = min(2 * goal - reached, (1 + goal) / 2)
    found = derived(routing.pivots, heap.sample, heap.total, known.all(), aim)[0]
    probes, margin = max(found.probes, routing.probes), max(found.margin, routing.margin)
    if (probes, margin) == (routing.probes, routing.margin):
        return None
    _log.info(f"link global: recall is below link.recall; a second pass with {probes} probes within {margin:g}")
    return replace(epoch, routing=Routing(routing.pivots, probes, margin))


class _Passes:
    """Passes of the join over the faces of a heap, and what they compare in all."""

    def __init__(self, stage: Stage, heap: Heap, known: Known | None, kept: Change, change: Change) -> None:
        self._stage, self._heap, self._kept, self._change = stage, heap, kept, change
        self._whole = np.sort(known.ids) if known is not None else np.zeros(0, np.int64)
        self._tallies: list[Any] = []

    def to_goal(self, epoch: Epoch, known: Known) -> Epoch:
        """Measure the recall; below the goal, let one more pass with wider probes add the pairs that are missing."""
        run = self._stage.run
        goal, first = run.config.link.recall, None
        measured = _measured(self._change, known)
        wider = _wider(self._heap, epoch, known, goal, measured.recall) if _short(measured, goal) else None
        if wider is not None:
            first = measured.recall
            self._change.append(self.edges(wider, ["global"], earlier=epoch.routing))
            measured = _measured(self._change, known)
        if _short(measured, goal):
            said = (
                f"recall {measured.recall:.4f} is below link.recall = {goal:g}, after all that a second pass could add"
            )
            run.warn(f'link: {said}; link.method = "exact" finds all edges')
        told = {
            "recall": measured.recall,
            "recall_low": measured.low,
            "recall_high": measured.high,
            "lsh_recall": first,
        }
        return replace(wider or epoch, told={**epoch.told, **told})

    def edges(self, epoch: Epoch, scopes: list[str], earlier: Routing | None = None) -> Edges:
        """Keep the epoch's faces and find their edges of these scopes, less an earlier routing's candidates."""
        self._kept.overwrite(faces_rows(epoch, routed(self._heap.packed, epoch.routing)))
        faces = self._kept.read().where(F.col("kind") == FACES)
        found: list[DataFrame] = [self._of_scope(faces, epoch, scope, earlier) for scope in scopes]
        return Edges(reduce(DataFrame.unionByName, found[1:], found[0]))

    def facts(self) -> dict[str, int]:
        """Sub-cells and candidate pairs, once the edges are written."""
        met = np.array([pair for tally in self._tallies for pair in tally.value.values()], np.int64).reshape(-1, 2)
        cells, candidates = (int(value) for value in met.sum(axis=0))
        return {"cells": cells, "candidates": candidates}

    def _of_scope(self, faces: DataFrame, epoch: Epoch, scope: str, earlier: Routing | None) -> Edges:
        heap, spark = self._heap, faces.sparkSession
        if scope == "identity":
            layout = identity_layout(heap.faces, heap.cores)
        else:
            layout = heap_layout(epoch.routing, heap.sample, heap.total, heap.cores)
        asked = Asked(epoch.cosines[scope], self._stage.run.config.link.max_neighbours, self._whole)
        tally = spark.sparkContext.accumulator({}, Tally())
        self._tallies.append(tally)
        return edges(faces, Plan(scope, asked, layout, partition_keys(layout.parts), earlier), tally)

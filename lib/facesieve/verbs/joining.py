"""The full join: settings derived from the heap, all pairs found in one or two passes, recall measured, cap applied."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import numpy as np
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.config import Link
from facesieve.console import count, say
from facesieve.kernels import recall as sampling
from facesieve.kernels.meetings import Asked
from facesieve.kernels.tuning import Settings, TrueEdges
from facesieve.kernels.voronoi import SAMPLE_PER_PIVOT, learn_pivots, pivot_count
from facesieve.run import Stage
from facesieve.stages.capped import capped
from facesieve.stages.edges import Plan, Routing, Tally, edges, partition_keys, routed
from facesieve.stages.packed import Faces
from facesieve.stages.routing import COST_SAMPLE, derived, heap_layout, identity_layout
from facesieve.stages.truth import Recall, recall, truth
from facesieve.tables import EDGES, EPOCHS, Edges
from facesieve.verbs.epochs import FACES, Epoch, faces_rows, settings_row
from facesieve.versions import Change

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
    if "heap" not in epoch.cosines or settings.method == "exact":
        return epoch, None
    known = Known(heap, epoch.cosines["heap"])
    if heap.total <= EXACT_BELOW:
        say(f"link heap: {count(heap.total)} faces are few, so all pairs are compared")
        return epoch, known
    cells = pivot_count(heap.total)
    learned = slice(0, cells * SAMPLE_PER_PIVOT)
    pivots = learn_pivots(heap.sample.ids[learned], heap.sample.vectors[learned], cells, epoch.cosines["heap"])
    routing, found = derived(pivots, heap.sample, heap.total, known.to_derive(), settings.recall)
    say(f"link heap: {_spoken(routing, found)}")
    return replace(epoch, routing=routing), known


def _spoken(routing: Routing, found: Settings) -> str:
    cells = 1 if routing.pivots is None else len(routing.pivots)
    return (
        f"{count(cells)} cells, {routing.probes} probes within {routing.margin:g} of the nearest;"
        f" expected recall {found.recall:.4f}, {found.products:.0f} comparisons a face"
    )


def join(stage: Stage, heap: Heap, epoch: Epoch, known: Known | None) -> dict[str, Any]:
    """Join all scopes of the epoch, commit edges and epoch as one version each, and return facts for the ledger."""
    settings = stage.run.config.link
    with stage.change(EPOCHS) as kept, stage.change(EDGES) as change:
        _keep(kept, heap, epoch, stage)
        found = _Found(stage, heap, epoch, settings, known)
        change.overwrite(found.first(kept.read()))
        facts = found.facts
        found.count_up()
        if known is not None:
            measured = _measured(change, known)
            if measured.recall is not None and measured.recall < settings.recall:
                wider = found.wider(known, settings.recall, measured.recall)
                if wider is not None:
                    _keep(kept, heap, wider, stage)
                    change.append(found.second(kept.read(), wider))
                    found.count_up()
                    facts["lsh_recall"], measured = measured.recall, _measured(change, known)
            _say_shortfall(stage, measured, settings)
            facts |= {"recall": measured.recall, "recall_low": measured.low, "recall_high": measured.high}
        facts["capped"] = cap(change, epoch, settings.max_neighbours)
    facts["edges"] = stage.read(EDGES).count()
    return facts


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
            say(f"link {scope}: {count(held.faces)} faces have more than link.max_neighbours = {most} neighbours")
    return faces


def _keep(kept: Change, heap: Heap, epoch: Epoch, stage: Stage) -> None:
    rows = faces_rows(epoch, routed(heap.packed, epoch.routing))
    kept.overwrite(rows.unionByName(settings_row(epoch, stage)))


def _measured(change: Change, known: Known) -> Recall:
    measured = recall(Edges(change.read()), known.ids, known.degrees)
    sample = f"{count(measured.true_edges)} true edges of {count(measured.faces)} sampled faces"
    if measured.recall is None:
        say(f"link heap: recall unknown: only {sample}")
    else:
        say(f"link heap: recall {measured.recall:.4f} ({measured.low:.4f} to {measured.high:.4f}), from {sample}")
    return measured


def _say_shortfall(stage: Stage, measured: Recall, settings: Link) -> None:
    if measured.recall is not None and measured.recall < settings.recall:
        said = f"recall {measured.recall:.4f} is below link.recall = {settings.recall:g} after a second pass"
        stage.run.warn(f'link: {said}; link.method = "exact" finds all edges')


class _Found:
    """The edges of one epoch, pass by pass, and what the ledger keeps of it."""

    def __init__(self, stage: Stage, heap: Heap, epoch: Epoch, settings: Link, known: Known | None) -> None:
        self._stage, self._heap, self._epoch, self._settings = stage, heap, epoch, settings
        self._whole = np.sort(known.ids) if known is not None else np.zeros(0, np.int64)
        self._tallies: list[Any] = []
        self.facts: dict[str, Any] = {"probes": epoch.routing.probes}

    def first(self, kept: DataFrame) -> Edges:
        """Find the edges of all scopes."""
        faces = kept.where(F.col("kind") == FACES)
        found: list[DataFrame] = [self._edges(faces, scope, self._epoch.routing, None) for scope in self._epoch.cosines]
        return Edges(reduce(DataFrame.unionByName, found[1:], found[0]))

    def second(self, kept: DataFrame, wider: Epoch) -> Edges:
        """Find the heap's edges that the first pass had not among its candidates."""
        self.facts["probes"] = wider.routing.probes
        return self._edges(kept.where(F.col("kind") == FACES), "heap", wider.routing, self._epoch.routing)

    def wider(self, known: Known, target: float, reached: float) -> Epoch | None:
        """Derive wider probes from all known edges; None if none are wider."""
        routing = self._epoch.routing
        if routing.pivots is None:
            return None
        aim = min(target + (target - reached), (1 + target) / 2)
        found = derived(routing.pivots, self._heap.sample, self._heap.total, known.all(), aim)[0]
        probes, margin = max(found.probes, routing.probes), max(found.margin, routing.margin)
        if (probes, margin) == (routing.probes, routing.margin):
            return None
        say(f"link heap: recall is below link.recall; a second pass with {probes} probes within {margin:g}")
        return replace(self._epoch, routing=Routing(routing.pivots, probes, margin))

    def _edges(self, faces: DataFrame, scope: str, routing: Routing, earlier: Routing | None) -> Edges:
        heap = self._heap
        if scope == "identity":
            layout = identity_layout(heap.faces, heap.cores)
        else:
            layout = heap_layout(routing, heap.sample, heap.total, heap.cores)
        asked = Asked(self._epoch.cosines[scope], self._settings.max_neighbours, self._whole)
        keys = partition_keys(faces.sparkSession, layout.parts)
        tally = faces.sparkSession.sparkContext.accumulator({}, Tally())
        self._tallies.append(tally)
        return edges(faces, Plan(scope, asked, layout, keys, earlier), tally)

    def count_up(self) -> None:
        """Add up cells and candidate pairs of all passes (once the edges are written)."""
        sums = np.array([pair for tally in self._tallies for pair in tally.value.values()], np.int64).reshape(-1, 2)
        self.facts["cells"], self.facts["candidates"] = (int(value) for value in sums.sum(axis=0))

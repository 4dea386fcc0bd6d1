"""Probe settings that reach a recall at the least cost, derived from the faces at hand.

A few faces are compared with everything. Of their true edges it is counted at which probe, and how much less near than
the home, the two faces become a candidate pair. So the recall of every setting is counted, not modelled. The cost of a
setting is estimated from how a sample of faces falls into the cells.

Cost model, in seconds of one core per face, constants measured on one core of an AMD EPYC with AVX-512 (float32
products of 128 numbers; `make bench-link` prints them anew):

    route     m x 3e-9                       m = 2.5 sqrt N pivots
    compare   products(N, r, margin) x PRODUCT,   about N / m x (r - 1/2)
    travel    copies x 4e-6 + cells x CELL        cells <= r, copies <= partitions that these cells lie in
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from facesieve.faces.vectors import Floats, Halves, Indices, short_unit, slices
from facesieve.link.kernels.recall import FEWEST_EDGES
from facesieve.link.kernels.voronoi import NO_MARGIN, Pivots, Probes, nearest_cells, nearest_first

PRODUCT, CELL = 3e-9, 6e-7
"""Seconds per product, and per cell that a face is compared in (with its share of what travels)."""

MOST_PROBES = 64
_STEPS = (1, 2, 3, 4, 6, 8, 12, 16, 20, 24, 32, 48, 64)
_MARGINS = (0.05, 0.075, 0.1, 0.125, 0.15, 0.2, 0.3, NO_MARGIN)
_BLIND = (16, NO_MARGIN)
_ROUTED = 1_024

SURE = 3.0
"""Standard errors by which the chosen recall lies above the goal: a second pass costs more than some probes."""


@dataclass(frozen=True)
class Settings:
    """How far a face probes: `probes` cells at most, `margin` in cosine; the recall expected of it, and the cost:
    products and cells per face. recall is NaN where there were too few true edges to tell.
    """

    probes: int
    margin: float
    recall: float
    products: float
    cells: float


@dataclass(frozen=True)
class TrueEdges:
    """True edges of a few faces: faces float16 [q, D]; for each edge the row of its face int64 [e], the other face's
    vector float16 [e, D], and how many edges it stands for, float64 [e].
    """

    faces: Halves
    of: Indices
    others: Halves
    weights: Floats


@dataclass(frozen=True)
class Nearness:
    """Nearest cells of faces: int32 [n, k], nearest first, and how much less near than the home, float64 [n, k]."""

    cells: Probes
    gaps: Floats


def nearness(vectors: Halves, pivots: Pivots, depth: int) -> Nearness:
    """Rank the `depth` nearest cells of each face (by float32 products: good enough for counting)."""
    depth = min(depth, len(pivots))
    cells, gaps = np.empty((len(vectors), depth), np.int32), np.empty((len(vectors), depth))
    for part in slices(len(vectors), _ROUTED):
        cells[part], near = nearest_first(*nearest_cells(short_unit(vectors[part]) @ pivots.T, depth))
        gaps[part] = near[:, :1] - near
    return Nearness(cells, gaps)


def choose(pivots: Pivots, sample: Halves, faces: int, true: TrueEdges, target: float) -> Settings:
    """Choose the cheapest settings whose recall, less SURE standard errors, reaches `target`; else those with the best.

    sample: float16 [s, D], faces drawn by hash, for the cost; `faces` is their number in all. Below 50 true edges
    nothing can be counted, and 16 probes are taken.
    """
    loads = nearness(sample, pivots, MOST_PROBES)
    if true.weights.sum() < FEWEST_EDGES:
        probes, margin = min(_BLIND[0], len(pivots)), _BLIND[1]
        return Settings(probes, margin, float("nan"), *load(loads, len(pivots), faces, probes, margin))
    candidacy = _Candidacy(true, pivots)
    reached: list[Settings] = []
    missed: list[Settings] = []
    for probes, margin in _grid(len(pivots)):
        recall, error = candidacy.recall(probes, margin)
        settings = Settings(probes, margin, recall, *load(loads, len(pivots), faces, probes, margin))
        (reached if recall >= min(target + SURE * error, 1.0) else missed).append(settings)
    return min(reached, key=cost) if reached else max(missed, key=lambda settings: (settings.recall, -cost(settings)))


def cost(settings: Settings) -> float:
    """Seconds of one core per face that these settings take, without what all settings share."""
    return settings.products * PRODUCT + settings.cells * CELL


def load(loads: Nearness, cells: int, faces: int, probes: int, margin: float) -> tuple[float, float]:
    """Products and cells per face, from a sample's nearness: residents with each other and with visitors."""
    here = loads.gaps[:, :probes] <= margin
    homes = np.bincount(loads.cells[:, 0], minlength=cells)
    visits = np.bincount(loads.cells[:, 1:probes][here[:, 1:]], minlength=cells)
    scale = faces / max(1, len(loads.cells))
    # Without the sampled face itself, else small samples overstate the pairs.
    pairs = (homes * np.maximum(homes - 1, 0) / 2 + homes * visits).sum()
    return float(pairs * scale * scale / max(1, faces)), float(here.sum() / max(1, len(loads.cells)))


def _grid(cells: int) -> Iterator[tuple[int, float]]:
    for probes in _STEPS:
        if probes > cells:
            yield cells, NO_MARGIN
            return
        for margin in _MARGINS:
            yield probes, margin


class _Candidacy:
    """At which probe, and how far from home, the two faces of each true edge become a candidate pair."""

    def __init__(self, true: TrueEdges, pivots: Pivots) -> None:
        faces = nearness(true.faces, pivots, MOST_PROBES)
        others = nearness(true.others, pivots, MOST_PROBES)
        mine = Nearness(faces.cells[true.of], faces.gaps[true.of])
        self._reached = (_reached(mine, others.cells[:, 0]), _reached(others, mine.cells[:, 0]))
        self._of, self._weights, self._faces = true.of, true.weights, len(true.faces)

    def recall(self, probes: int, margin: float) -> tuple[float, float]:
        """Share of the edges that are candidates, and its standard error over faces (ratio estimator, Cochran 1977)."""
        candidate = np.zeros(len(self._of), np.bool_)
        for rank, gap in self._reached:
            candidate |= (rank < probes) & (gap <= margin)
        total = self._weights.sum()
        share = float(self._weights[candidate].sum() / total)
        residuals = np.bincount(self._of, self._weights * (candidate - share), self._faces)
        return share, float(np.sqrt((residuals**2).sum()) / total)


def _reached(near: Nearness, homes: Probes) -> tuple[Indices, Floats]:
    same = near.cells == homes[:, None]
    rank = np.where(same.any(axis=1), same.argmax(axis=1), MOST_PROBES)
    inside = np.minimum(rank, near.cells.shape[1] - 1)
    return rank, np.take_along_axis(near.gaps, inside[:, None], axis=1)[:, 0]

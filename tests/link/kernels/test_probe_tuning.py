"""Settings counted on true edges, against brute force with the cells that faces really get."""

from __future__ import annotations

import math

import numpy as np
import pytest
from factories import faces

from facesieve.faces.vectors import hits
from facesieve.link.kernels import probe_tuning
from facesieve.link.kernels.cells import Cut, assign_cells, sub_cells
from facesieve.link.kernels.probe_tuning import SURE, Settings, TrueEdges, choose, cost, load, nearness
from facesieve.link.kernels.recall import FEWEST_EDGES
from facesieve.link.kernels.voronoi import NO_MARGIN, is_candidate, learn_pivots, route

Few = tuple[np.ndarray, np.ndarray]

STEPS, MARGINS = (1, 2, 3, 5), (0.02, 0.1, NO_MARGIN)
GRID = [(probes, margin) for probes in STEPS for margin in MARGINS]


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> Few:
    """400 faces of 20 people that lie across 30 cells, and few settings to choose from."""
    monkeypatch.setattr(probe_tuning, "_STEPS", STEPS)
    monkeypatch.setattr(probe_tuning, "_MARGINS", MARGINS)
    ids, _, vectors = faces(20, 20, seed=4, dimension=12)
    halves = vectors.astype(np.float16)
    return halves, learn_pivots(ids, halves, 30, 0.9)


def true_edges(vectors: np.ndarray, few_faces: int) -> TrueEdges:
    """Edges of the first faces; those of one face stand for three each."""
    i, j, _ = hits(vectors[:few_faces], vectors, 0.6)
    i, j = i[i != j], j[i != j]
    return TrueEdges(vectors[:few_faces], i, vectors[j], np.where(i == 0, 3.0, 1.0))


def by_brute_force(few: Few, true: TrueEdges, probes: int, margin: float) -> Settings:
    vectors, pivots = few
    lists = route(vectors, pivots, probes, margin)
    met = is_candidate(route(true.faces, pivots, probes, margin)[true.of], route(true.others, pivots, probes, margin))
    none, ids = np.zeros(0, np.int64), np.arange(len(vectors))
    pairs = sum(
        len(residents) * (len(residents) - 1) / 2 + len(residents) * len(visitors)
        for residents, visitors in sub_cells(assign_cells(ids, lists, Cut(none, none)), ids)
    )
    recall = float(true.weights[met].sum() / true.weights.sum())
    return Settings(probes, margin, recall, pairs / len(ids), (lists >= 0).sum() / len(ids))


def standard_error(true: TrueEdges, settings: Settings, pivots: np.ndarray) -> float:
    """Ratio estimator, face by face: Cochran 1977, 2.11 and 6.4."""
    lists = [route(rows, pivots, settings.probes, settings.margin) for rows in (true.faces[true.of], true.others)]
    met = is_candidate(*lists)
    residuals = [
        (true.weights[true.of == face] * (met[true.of == face] - settings.recall)).sum()
        for face in range(len(true.faces))
    ]
    return math.sqrt(sum(residual**2 for residual in residuals)) / float(true.weights.sum())


@pytest.mark.parametrize(("probes", "margin"), GRID)
def test_load_of_the_whole_heap_is_what_is_compared(few: Few, probes: int, margin: float) -> None:
    vectors, pivots = few
    products, cells = load(
        nearness(vectors, pivots, probe_tuning.MOST_PROBES), len(pivots), len(vectors), probes, margin
    )
    expected = by_brute_force(few, true_edges(vectors, 10), probes, margin)
    assert products == pytest.approx(expected.products)
    assert cells == pytest.approx(expected.cells)


def test_load_of_a_sample_is_about_that_of_the_whole(few: Few) -> None:
    vectors, pivots = few
    whole = load(nearness(vectors, pivots, 5), len(pivots), 400, 4, 0.1)
    assert load(nearness(vectors[:200], pivots, 5), len(pivots), 400, 4, 0.1) == pytest.approx(whole, rel=0.15)


@pytest.mark.parametrize("target", [0.1, 0.6, 0.8, 0.9, 0.95, 0.99, 1.0])
def test_the_cheapest_of_those_that_reach_the_recall_is_chosen(few: Few, target: float) -> None:
    vectors, pivots = few
    true = true_edges(vectors, 60)
    every = [by_brute_force(few, true, probes, margin) for probes, margin in GRID]
    reach = [each for each in every if each.recall >= min(1.0, target + SURE * standard_error(true, each, pivots))]
    expected = min(reach, key=cost) if reach else max(every, key=lambda each: each.recall)
    settings = choose(pivots, vectors, len(vectors), true, target)
    assert (settings.probes, settings.margin) == (expected.probes, expected.margin)
    assert settings.recall == pytest.approx(expected.recall)
    assert cost(settings) == pytest.approx(cost(expected))


def test_weights_count(few: Few) -> None:
    """Edges of one half of the faces that outweigh the others decide."""
    vectors, pivots = few
    true = true_edges(vectors, 60)
    met = is_candidate(route(true.faces, pivots, 1, NO_MARGIN)[true.of], route(true.others, pivots, 1, NO_MARGIN))
    heavy = TrueEdges(true.faces, true.of, true.others, np.where(met, 1e6, 1e-6))
    assert choose(pivots, vectors, 400, heavy, 0.99).probes == 1
    assert choose(pivots, vectors, 400, true, 0.99).probes > 1


@pytest.mark.parametrize("cells", [1, 3, 30])
def test_below_fifty_edges_the_probes_are_many_and_the_recall_unknown(few: Few, cells: int) -> None:
    vectors, pivots = few
    true = true_edges(vectors, 60)
    scarce = TrueEdges(true.faces, true.of[:1], true.others[:1], np.array([FEWEST_EDGES - 1.0]))
    settings = choose(pivots[:cells], vectors, 400, scarce, 0.9)
    assert (settings.probes, settings.margin) == (min(16, cells), NO_MARGIN)
    assert math.isnan(settings.recall)
    assert settings.cells == settings.probes
    enough = TrueEdges(scarce.faces, scarce.of, scarce.others, np.array([FEWEST_EDGES * 1.0]))
    assert not math.isnan(choose(pivots[:cells], vectors, 400, enough, 0.9).recall)


def test_all_probes_reach_everything(few: Few) -> None:
    vectors, pivots = few
    true = true_edges(vectors, 60)
    for cells in (1, 2, 4):
        settings = choose(pivots[:cells], vectors, 400, true, 1.0)
        assert settings.recall == 1.0
        assert settings.probes <= cells
    alone = choose(pivots[:1], vectors, 400, true, 1.0)
    assert (alone.probes, alone.products, alone.cells) == (1, 399 / 2, 1.0)


def test_nearness_ranks_cells(few: Few) -> None:
    vectors, pivots = few
    near = nearness(vectors, pivots, 99)
    exact = (
        vectors.astype(float) / np.linalg.norm(vectors.astype(float), axis=1, keepdims=True) @ pivots.T.astype(float)
    )
    assert (near.cells == np.argsort(-exact, axis=1)).all()
    assert np.allclose(near.gaps, exact.max(axis=1, keepdims=True) + np.sort(-exact, axis=1), atol=1e-6)

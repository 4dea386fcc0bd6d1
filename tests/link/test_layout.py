"""Settings and layouts: what is derived from a sample, what is cut, what one task holds at most."""

from __future__ import annotations

import numpy as np
import oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from facesieve.core.errors import ContractError
from facesieve.faces.blocks import Faces, ListedFaces
from facesieve.faces.vectors import hits
from facesieve.link import layout as stage
from facesieve.link.kernels import cells
from facesieve.link.kernels.probe_tuning import TrueEdges
from facesieve.link.kernels.voronoi import learn_pivots, route
from facesieve.link.layout import MOST_FACES, derived, global_layout, identity_layout, partitions
from facesieve.link.routing import ONE_CELL, Routing

LINK = 0.6


@pytest.fixture(scope="module")
def faces() -> oracle.Crowd:
    return oracle.crowd(200, 6, seed=4)


@pytest.fixture(scope="module")
def sample(faces: oracle.Crowd) -> Faces:
    return Faces(faces.ids, faces.codes, faces.halves)


@pytest.fixture(scope="module")
def pivots(faces: oracle.Crowd) -> np.ndarray:
    return learn_pivots(faces.ids, faces.halves, 60, LINK)


def true_edges(faces: oracle.Crowd, few: int) -> TrueEdges:
    of, other, _ = hits(faces.halves[:few], faces.halves, LINK)
    apart = of != other
    return TrueEdges(faces.halves[:few], of[apart], faces.halves[other[apart]], np.ones(int(apart.sum())))


def test_derived_probes_reach_the_recall_and_a_higher_one_costs_more(
    faces: oracle.Crowd, sample: Faces, pivots: np.ndarray
) -> None:
    """Settings derived from a quarter of the faces serve the others."""
    loose, strict = (derived(pivots, sample, len(faces.ids), true_edges(faces, 300), recall) for recall in (0.7, 0.98))
    every = oracle.edges(faces, LINK)
    for (routing, settings), target in ((loose, 0.7), (strict, 0.98)):
        reached = len(oracle.edges(faces, LINK, oracle.compared(faces, routing))) / len(every)
        assert settings.recall >= target
        assert reached == pytest.approx(settings.recall, abs=0.03)
    assert loose[1].products < strict[1].products < len(faces.ids) / 2


def test_cells_are_laid_out_by_what_a_sample_tells(
    faces: oracle.Crowd, sample: Faces, pivots: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Residents and copies are scaled up from the sample; a cell that would hold too many is cut."""
    monkeypatch.setattr(cells, "MOST_RESIDENTS", 100)
    routing = Routing(pivots, 3, 0.3)
    layout = global_layout(routing, sample, 10 * len(faces.ids), 4)
    homes = 10 * np.bincount(route(faces.halves, pivots, 3, 0.3)[:, 0], minlength=len(pivots))
    assert layout.parts == 4
    assert layout.base is not None
    assert sorted(set(layout.base.tolist())) == [0, 1, 2, 3]
    assert layout.cut.cells.tolist() == np.flatnonzero(homes > 100).tolist()
    assert (homes[layout.cut.cells] <= 100 * layout.cut.pieces).all()
    assert (homes[layout.cut.cells] > 100 * (layout.cut.pieces - 2)).all()


@pytest.mark.parametrize(("count", "pieces"), [(0, 1), (1, 1), (8_191, 1), (8_192, 3), (32_768 * 6, 7)])
def test_one_cell_is_cut_for_memory_and_for_two_cores(count: int, pieces: int) -> None:
    nobody = Faces(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 0), np.float16))
    layout = global_layout(ONE_CELL, nobody, count, 2)
    assert (layout.parts, layout.cut.of(np.zeros(1, np.int64)).tolist()) == (pieces, [pieces])
    assert layout.part(np.zeros(pieces, np.int64), np.arange(pieces)).tolist() == list(range(pieces))


@given(st.integers(0, 10**9), st.floats(1, 8), st.integers(1, 500))
def test_no_task_holds_more_than_it_may_and_few_faces_make_few_tasks(count: int, copies: float, cores: int) -> None:
    parts = partitions(count, copies, cores)
    assert parts >= 1
    assert count * copies / parts <= 1.001 * max(MOST_FACES, 2_048 * copies)
    assert parts == 1 or (parts - 1) * 2_048 < count
    assert parts % cores == 0 or parts == -(-count // 2_048) or parts == 1


def test_large_identities_are_cut_and_no_others(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "MOST_RESIDENTS", 10)
    monkeypatch.setattr(stage, "MOST_RESIDENTS", 10)
    sizes = {"crowd": 35, "many": 11, "ten": 10, "one": 1, None: 50}
    names = [name for name, size in sizes.items() for _ in range(size)]
    frame = ListedFaces(spark.createDataFrame([(name,) for name in names], "identity string").repartition(3))
    layout = identity_layout(frame, 2)
    by_code = {
        row.code: row.identity for row in frame.selectExpr("xxhash64(identity) code", "identity").distinct().collect()
    }
    cut = dict(zip((by_code[code] for code in layout.cut.cells.tolist()), layout.cut.pieces.tolist(), strict=True))
    assert cut == {"crowd": 5, "many": 3}
    assert layout.cut.cells.tolist() == sorted(layout.cut.cells.tolist())
    assert layout.parts == 1
    codes = np.arange(1_000)
    assert len(set(cells.Layout(7, layout.cut).part(codes, 0 * codes).tolist())) == 7


def test_without_identities_there_is_one_empty_partition(spark: SparkSession) -> None:
    layout = identity_layout(ListedFaces(spark.createDataFrame([(None,), (None,)], "identity string")), 2)
    assert (layout.parts, len(layout.cut.cells)) == (1, 0)


def test_two_identities_of_one_hash_are_refused(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(F, "xxhash64", lambda column: F.length(column).cast("bigint"))
    frame = ListedFaces(spark.createDataFrame([("ann",), ("bob",), ("al",)], "identity string"))
    with pytest.raises(ContractError, match=r"listing\.identity: two identities bear one hash"):
        identity_layout(frame, 2)

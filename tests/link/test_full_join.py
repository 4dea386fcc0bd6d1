"""When recall is measured, and when probes are widened (the whole join is tested with the step)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from facesieve.core.sections import Link
from facesieve.lake.run import Stage
from facesieve.link import full_join as module
from facesieve.link.collection import Collection
from facesieve.link.epoch import Epoch
from facesieve.link.kernels.probe_tuning import Settings
from facesieve.link.recall import Recall, RecallSample
from facesieve.link.routing import ONE_CELL, Routing

CELLS = Routing(np.eye(3, dtype=np.float32), 2, 0.1)
NOBODY = cast(Collection, SimpleNamespace(sample=None, total=0))


@pytest.mark.parametrize(
    ("scope", "method", "begins", "routing", "measured"),
    [
        ("global", "lsh", True, ONE_CELL, True),
        ("global", "lsh", False, CELLS, True),
        ("global", "lsh", False, ONE_CELL, False),
        ("global", "exact", True, ONE_CELL, False),
        ("identity", "lsh", True, ONE_CELL, False),
    ],
)
def test_recall_is_measured_where_cells_may_miss_edges_and_when_an_epoch_begins(
    monkeypatch: pytest.MonkeyPatch, scope: str, method: str, begins: bool, routing: Routing, measured: bool
) -> None:
    monkeypatch.setattr(module, "RecallSample", lambda collection, cosine: ("sample", cosine))
    stage = SimpleNamespace(run=SimpleNamespace(config=SimpleNamespace(link=Link(method=method))))
    epoch = Epoch("run-1", "", 70, {scope: 0.6}, routing)
    sample: object = module._recall_sample(cast(Stage, stage), NOBODY, epoch, begins=begins)
    assert sample == (("sample", 0.6) if measured else None)


def test_recall_is_short_only_where_it_is_known() -> None:
    assert module._short(Recall(0.9, 0.8, 0.95, 100, 10), 0.98)
    assert not module._short(Recall(0.98, 0.9, 0.99, 100, 10), 0.98)
    assert not module._short(Recall(None, None, None, 10, 10), 0.98)


@pytest.mark.parametrize(
    ("derived", "wider"), [((4, 0.2), (4, 0.2)), ((4, 0.05), (4, 0.1)), ((1, 0.3), (2, 0.3)), ((2, 0.1), None)]
)
def test_probes_are_widened_or_left(
    monkeypatch: pytest.MonkeyPatch, derived: tuple[int, float], wider: tuple[int, float] | None
) -> None:
    aims: list[float] = []

    def deriving(pivots: object, sample: object, faces: int, true: object, aim: float) -> tuple[Routing, Settings]:
        aims.append(aim)
        return Routing(CELLS.pivots, *derived), Settings(*derived, aim, 1.0, 1.0)

    monkeypatch.setattr(module, "derived", deriving)
    sample = cast(RecallSample, SimpleNamespace(all=lambda: None))
    epoch = module._wider(NOBODY, Epoch("run-1", "", 70, {"global": 0.6}, CELLS), sample, 0.98, 0.97)
    assert (epoch and (epoch.routing.probes, epoch.routing.margin)) == wider
    assert aims == [pytest.approx(0.99)]
    one_cell = Epoch("run-1", "", 70, {"global": 0.6}, ONE_CELL)
    assert module._wider(NOBODY, one_cell, sample, 0.98, 0.97) is None

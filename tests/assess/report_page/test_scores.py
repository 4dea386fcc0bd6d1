"""Histograms: shares that add up to one, of folders where there are some."""

from __future__ import annotations

import numpy as np
import pytest
from report_folder import Folder

from facesieve.assess.kernels.calibration import EDGES, Spread
from facesieve.assess.report_page.scores import of_spreads


def test_bins_hold_all_pairs_between_the_first_and_the_last() -> None:
    genuine = Spread(np.clip((EDGES - 0.5) / 0.2, 0, 1), 10)
    impostor = Spread(np.clip((EDGES + 0.1) / 0.2, 0, 1), 90)
    bins = of_spreads(genuine, impostor)
    assert [bins[0]["low"], bins[-1]["high"]] == [pytest.approx(-0.1), pytest.approx(0.7)]
    assert [sum(each[name] for each in bins) for name in ("genuine", "impostor")] == [pytest.approx(1)] * 2
    assert bins[0]["genuine"] == 0
    assert of_spreads(Spread(0 * EDGES, 0), Spread(0 * EDGES, 0)) == []


def test_the_report_shows_line_and_cut_of_each_scope(full: Folder) -> None:
    rows = full.data("summary")["histograms"]
    assert [(row["scope"], row["link_cosine"], row["cut"]) for row in rows] == [
        ("identity", 0.4, None),
        ("global", 0.5, 0.45),
    ]
    assert sum(each["impostor"] for each in rows[0]["bins"]) == pytest.approx(1, abs=0.01)

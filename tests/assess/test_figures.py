"""The picture of a calibration: curves are where the numbers say, and equal input gives equal bytes."""

from __future__ import annotations

from statistics import NormalDist
from xml.etree import ElementTree

import matplotlib
import numpy as np

from facesieve.assess.figures import Calibration, draw
from facesieve.assess.kernels.calibration import EDGES, Spread
from facesieve.link.kernels.impostor_line import Line


def normal(mean: float, deviation: float) -> Spread:
    below = np.array([NormalDist(mean, deviation).cdf(edge) for edge in EDGES])
    return Spread(np.clip(below, 0, 1), 1_000)


CALIBRATION = Calibration(
    normal(0.04, 0.16),
    normal(0.7, 0.1),
    normal(0.6, 0.2),
    Line(0.04, 0.16, "identities", 1),
    {"link": 0.413, "line": 0.303},
)


def test_it_is_an_svg_that_names_what_is_drawn() -> None:
    picture = draw(CALIBRATION, "model: pairs & faces")
    root = ElementTree.fromstring(picture)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    texts = {"".join(node.itertext()) for node in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"model: pairs & faces", "impostors", "genuine", "link 0.413", "line 0.303"} <= texts
    assert {"0.040 + 0.160 z", "false matches, by the line", "false non-matches", "normal quantile z"} <= texts


def test_equal_input_gives_equal_bytes_whatever_the_style_of_the_user() -> None:
    first = draw(CALIBRATION, "title")
    with matplotlib.rc_context({"font.size": 30, "axes.grid": True}):
        assert draw(CALIBRATION, "title") == first
        assert matplotlib.rcParams["font.size"] == 30
    other = Calibration(CALIBRATION.impostors, normal(0.5, 0.1), CALIBRATION.folders, CALIBRATION.line, {"link": 0.413})
    assert draw(other, "title") != first

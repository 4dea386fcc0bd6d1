"""Pictures of a calibration, as SVG: equal input gives an equal file."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from facesieve.assess.kernels.calibration import EDGES, Spread, false_match
from facesieve.link.kernels.impostor_line import Line

_IMPOSTORS, _GENUINE, _FOLDERS = "tab:red", "tab:blue", "tab:gray"
_WIDE = 40
"""Bins of a `Spread` that make one bar of the histogram."""
_STYLE: Any = {"svg.hashsalt": "facesieve", "svg.fonttype": "none", "font.size": 9}
_TAIL = np.linspace(0.5, 0.9999, 400)


@dataclass(frozen=True)
class Calibration:
    """What is drawn: impostor and genuine scores, scores as measured inside folders, the line, chosen cosines."""

    impostors: Spread
    genuine: Spread
    folders: Spread
    line: Line
    chosen: Mapping[str, float]


def draw(calibration: Calibration, title: str) -> bytes:
    """Draw histograms, the impostor scores' tail with its line, and the error curves below each other."""
    import matplotlib  # noqa: PLC0415 - slow to import, and only this job draws
    from matplotlib.figure import Figure  # noqa: PLC0415

    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # whatever the user's own style is
        matplotlib.rcParams.update(_STYLE)
        figure = Figure(figsize=(7, 10), layout="constrained")
        above, middle, below = figure.subplots(3, 1)
        figure.suptitle(title)
        _histograms(above, calibration)
        _tail(middle, calibration)
        _errors(below, calibration)
        out = io.BytesIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": "facesieve"})
    return out.getvalue()


def _histograms(axes: Any, calibration: Calibration) -> None:
    edges = EDGES[::_WIDE]
    parts = ((calibration.impostors, _IMPOSTORS, "impostors"), (calibration.genuine, _GENUINE, "genuine"))
    for spread, colour, name in parts:
        axes.stairs(np.diff(spread.below[::_WIDE]), edges, fill=True, alpha=0.4, color=colour, label=name)
    measured = np.diff(calibration.folders.below[::_WIDE])
    axes.stairs(measured, edges, color=_FOLDERS, label="inside folders, as measured")
    axes.set(xlabel="cosine", ylabel="share of pairs", xlim=_range(calibration))
    _mark(axes, calibration)


def _tail(axes: Any, calibration: Calibration) -> None:
    z = np.array([NormalDist().inv_cdf(share) for share in _TAIL.tolist()])
    axes.plot(z, calibration.impostors.quantiles(_TAIL.tolist()), color=_IMPOSTORS, label="pairs across identities")
    line = calibration.line
    name = f"{line.intercept:.3f} + {line.slope:.3f} z"
    axes.plot(z, line.intercept + line.slope * z, color="black", linestyle="--", label=name)
    axes.set(xlabel="normal quantile z", ylabel="impostor score")
    axes.legend(loc="upper left")


def _errors(axes: Any, calibration: Calibration) -> None:
    cosines = EDGES[(calibration.line.intercept <= EDGES) & (EDGES < 1)]
    matches = [false_match(cosine, calibration.line) for cosine in cosines.tolist()]
    missed = np.interp(cosines, EDGES, calibration.genuine.below)
    counted = 1 - np.interp(cosines, EDGES, calibration.impostors.below)
    axes.plot(cosines, np.where(counted > 0, counted, np.nan), color=_IMPOSTORS, label="false matches, counted")
    axes.plot(cosines, matches, color="black", linestyle="--", label="false matches, by the line")
    axes.plot(cosines, np.where(missed > 0, missed, np.nan), color=_GENUINE, label="false non-matches")
    axes.set(xlabel="cosine", ylabel="share of pairs", yscale="log", ylim=(1e-5, 1), xlim=_range(calibration))
    _mark(axes, calibration)


def _mark(axes: Any, calibration: Calibration) -> None:
    for (name, cosine), style in zip(calibration.chosen.items(), ("-", ":", "-."), strict=False):
        axes.axvline(cosine, color="black", linestyle=style, linewidth=1, label=f"{name} {cosine:.3f}")
    axes.legend(loc="best")


def _range(calibration: Calibration) -> tuple[float, float]:
    return calibration.impostors.quantiles([0.0005])[0], 1.0

"""How the cosines of two collections of faces compare: impostors, their line and tail, and faces of one person."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]

IMPOSTORS_AT = (0.50, 0.80, 0.95, 0.97, 0.99, 0.999)
SAME_AT = (0.01, 0.05, 0.10, 0.25, 0.50, 0.75, 0.90)
LINE_FROM, LINE_TO = 0.80, 0.97
TAIL = (0.4, 0.5, 0.6, 0.65, 0.7, 0.75)
SAMPLE, PEOPLE = 20_000, 5_000
_BLOCK, _BINS = 1_000, 400_000


class Faces(Protocol):
    """Person numbers int64 [N] and unit vectors float32 [N, D]."""

    @property
    def people(self) -> Numbers: ...

    @property
    def vectors(self) -> npt.NDArray[np.float32]: ...


@dataclass(frozen=True)
class Cosines:
    """Cosines in ascending order, and how much of the weight is at or below each."""

    values: Floats
    below: Floats

    def at(self, share: float) -> float:
        """Cosine below which so much of the weight lies."""
        return float(self.values[np.searchsorted(self.below, share)])

    def above(self, cosine: float) -> float:
        """Share of the weight above a cosine."""
        return float(1 - self.below[np.searchsorted(self.values, cosine)])

    def moments(self) -> tuple[float, float]:
        """Mean and standard deviation."""
        weights = np.diff(self.below, prepend=0)
        mean = float(weights @ self.values)
        return mean, float(np.sqrt(weights @ (self.values - mean) ** 2))

    def line(self) -> tuple[float, float]:
        """Intercept and slope of the upper tail on normal paper."""
        shares = np.linspace(LINE_FROM, LINE_TO, 35)
        slope, intercept = np.polyfit([NormalDist().inv_cdf(p) for p in shares], [self.at(p) for p in shares], 1)
        return float(intercept), float(slope)


def impostors(faces: Faces) -> Cosines:
    """Cosines of all pairs across people, in a sample of at most `SAMPLE` faces."""
    sample = np.random.default_rng(0).permutation(len(faces.people))[:SAMPLE]
    people, vectors = faces.people[sample], faces.vectors[sample]
    counts = np.zeros(_BINS + 1)
    for start in range(0, len(sample), _BLOCK):
        cosines = vectors[start : start + _BLOCK] @ vectors.T
        apart = cosines[people[start : start + _BLOCK, None] != people]
        bins = np.clip((apart + 1) * (_BINS / 2), 0, _BINS).astype(np.int64)
        counts += np.bincount(bins, minlength=_BINS + 1)
    return Cosines(np.linspace(-1, 1, _BINS + 1), np.cumsum(counts) / counts.sum())


def genuine(faces: Faces) -> Cosines:
    """Cosines of pairs of one person, each person of the same weight, of at most `PEOPLE` people."""
    order = np.argsort(faces.people, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(faces.people[order])) + 1)
    several = [group for group in groups if len(group) > 1][:PEOPLE]
    cosines = [(faces.vectors[one] @ faces.vectors[one].T)[np.triu_indices(len(one), 1)] for one in several]
    values = np.concatenate(cosines).astype(np.float64)
    weights = np.concatenate([np.full(len(one), 1 / len(one)) for one in cosines]) / len(cosines)
    ascending = np.argsort(values)
    return Cosines(values[ascending], np.minimum(np.cumsum(weights[ascending]), 1))


def table(real: Faces, synthetic: Faces) -> str:
    """Both collections side by side, as text."""
    both = (real, synthetic)
    apart, same = [impostors(one) for one in both], [genuine(one) for one in both]
    lines = [one.line() for one in apart]
    rows: list[tuple[str, list[str]]] = [
        ("faces", [f"{len(one.people):,}" for one in both]),
        ("people", [f"{len(np.unique(one.people)):,}" for one in both]),
        ("faces of the largest", [f"{np.bincount(one.people).max():,}" for one in both]),
        ("impostors: mean", [f"{one.moments()[0]:.3f}" for one in apart]),
        ("  standard deviation", [f"{one.moments()[1]:.3f}" for one in apart]),
        *((f"  quantile {share:.1%}", [f"{one.at(share):.3f}" for one in apart]) for share in IMPOSTORS_AT),
        ("  line: intercept", [f"{line[0]:.3f}" for line in lines]),
        ("  line: slope", [f"{line[1]:.3f}" for line in lines]),
        *((f"  share above {cosine}", [f"{one.above(cosine):.2e}" for one in apart]) for cosine in TAIL),
        *((f"  per face above {cosine}: line, true", _per_face(cosine, both, apart, lines)) for cosine in TAIL),
        ("same person: mean", [f"{one.moments()[0]:.3f}" for one in same]),
        *((f"  quantile {share:.0%}", [f"{one.at(share):.3f}" for one in same]) for share in SAME_AT),
    ]
    return "\n".join(f"{name:36}{left:>20}{right:>20}" for name, (left, right) in [("", ["real", "synthetic"]), *rows])


def _per_face(
    cosine: float, both: tuple[Faces, Faces], apart: list[Cosines], lines: list[tuple[float, float]]
) -> list[str]:
    """False matches per face above a cosine: what the collection's own line says, and what is true."""
    cells = []
    for faces, cosines, (intercept, slope) in zip(both, apart, lines, strict=True):
        by_line = NormalDist().cdf((intercept - cosine) / slope)
        cells.append(f"{by_line * len(faces.people):.3g}, {cosines.above(cosine) * len(faces.people):.3g}")
    return cells

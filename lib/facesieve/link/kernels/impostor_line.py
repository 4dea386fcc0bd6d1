"""What a sample of the collection's own faces says about impostors' cosines, and what a threshold loses of one's own.

A plain fit of the impostor line to random pairs is spoilt by the few that are of one person: 0.3 % of them (LFW)
raise the forecast by 40 %, 4 % more than tenfold. But they lie above nearly all impostors. So the pairs above
intercept + clip x slope are left out, the line is fitted again, the rest taken as a normal distribution truncated
there, and so on until it stands still (sigma clipping, corrected for the truncation). It starts from the lower half of
the pairs, which is clean but no substitute: impostors' cosines are skewed. Labels err too (impostors planted in folders
make pairs of one person across identities, and raise a plain fit by 60 % where 30 % are planted), so those pairs are
clipped as well, more gently.

Forecast of false matches per face at the profile's cosine for 3, over the forecast of a plain fit to all pairs across
identities (FaceNet / MobileFaceNet, 3,000 faces of LFW at most; `true` counts them in all faces of the set):

| faces, share of pairs of one person | true | plain fit, any pairs | lower half | clipped, any | clipped, across |
| --- | --- | --- | --- | --- | --- |
| all 13,233, 0.3 % | 1.13 / 1.91 | 1.38 / 1.37 | 0.19 / 0.45 | 0.87 / 0.91 | 0.96 / 0.96 |
| 3,000 at random, 0.3 % | 1.11 / 1.46 | 1.27 / 1.27 | 0.26 / 0.55 | 0.94 / 0.91 | 0.99 / 0.95 |
| 62 people of 20 and more, 5 % | 0.83 / 1.27 | 29 / 52 | 0.48 / 0.74 | 1.05 / 0.95 | 1.02 / 0.97 |
| 24 people, 40 faces each, 4 % | 1.17 / 1.31 | 13 / 19 | 0.88 / 0.84 | 0.97 / 0.96 | 0.98 / 0.94 |

Spread of the forecast over samples, as a factor (one standard deviation): 1.2 with 200 faces of different people, 1.1
with 400; over choices of people with up to 20 faces 1.1 with 100, 1.3 with 50, 2.0 with 24. Up to 8 % of pairs of one
person, clipping any pairs agrees with pairs across identities within a factor of 1.3 (one sd); from 12 % on it may
fail, and with fewer than five people it may do so unseen. 3,000 faces take 0.2 s.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist

import numpy as np

from facesieve.faces.vectors import Floats, Halves, Indices, half_unit, slices

FEWEST_FACES = 200
"""Faces below which there is no estimate: 200 of different people give the forecast within 18 % (one sd of its log)."""

FEWEST_PEOPLE = 12
"""People below which there is no estimate, counted as 1 / share of pairs of one person: beyond, clipping may fail."""

DRIFT = 3.0
"""Factor between two forecasts that is worth a warning: by one model, parts of LFW differ from the whole by up to 2."""

HARMLESS = 1.0
"""False matches per face below which no forecast is worth one: even connected components hold."""

_NORMAL = NormalDist()
_TAIL = np.linspace(0.80, 0.97, 18)
_START = np.linspace(0.03, 0.50, 20)
_CLIP_ACROSS, _CLIP_ANY = 3.0, 2.5
_STRAIGHT, _FLATTEST = 0.05, 1e-3
_ROUNDS, _STILL, _DECIMALS = 100, 1e-7, 6
_BINS, _ROWS = 20_000, 512


@dataclass(frozen=True)
class Line:
    """Upper tail of impostors' cosines, cosine = intercept + slope x z, estimated from `pairs` pairs.

    `how`: `identities` (pairs across known identities), `robust` (any pairs, those of one person clipped away), or
    `few` (pairs across so few people that the line is uncertain).
    """

    intercept: float
    slope: float
    how: str
    pairs: int


def estimate(vectors: Halves, identities: Indices) -> Line | None:
    """Estimate the impostor line from a random sample of the collection; None where the sample cannot tell.

    Shapes: vectors float16 [n, D], identities int64 [n], negative where unknown. Pairs across identities are used if
    FEWEST_FACES faces of FEWEST_PEOPLE people have one, else all pairs but those known to be of one person. None with
    fewer faces or people than that, or if the tail is not straight. The order of the faces does not matter.

    >>> estimate(np.ones((10, 2), np.float16), np.arange(10)) is None
    True
    """
    named = identities >= 0
    across = int(named.sum()) >= FEWEST_FACES and _alike(identities[named]) <= 1 / FEWEST_PEOPLE
    if across:
        vectors, identities = vectors[named], identities[named]
    if len(vectors) < FEWEST_FACES:
        return None
    identities = np.where(identities >= 0, identities, -1 - np.arange(len(identities)))
    heights = _histogram(half_unit(vectors), identities)
    pairs, alike = int(heights.sum()), _alike(identities)
    fitted = _clipped(heights, _CLIP_ACROSS if across else _CLIP_ANY) if pairs else None
    if fitted is None or alike + (1 - alike) * fitted[2] > 1 / FEWEST_PEOPLE:
        return None
    return Line(fitted[0], fitted[1], "identities" if across else "robust", pairs)


def share_below(cosine: float, probabilities: Sequence[float], cosines: Sequence[float]) -> float:
    """Share of same-person pairs below `cosine`, interpolated between quantiles and clamped outside them.

    `probabilities` and `cosines`: the profile's quantiles, ascending, equally many and at least one; else ValueError.

    >>> share_below(0.625, [0.25, 0.5], [0.5, 0.75])
    0.375
    """
    ascending = all(a <= b for values in (probabilities, cosines) for a, b in pairwise(values))
    within = all(0 <= share <= 1 for share in probabilities) and all(map(math.isfinite, cosines))
    if not (probabilities and len(probabilities) == len(cosines) and ascending and within):
        raise ValueError("probabilities (0 to 1) and cosines are not two ascending lists of the same length")
    return float(np.interp(cosine, cosines, probabilities))


def drifted(expected: float, estimated: float) -> bool:
    """Say whether two forecasts of false matches per face at one cosine differ by more than DRIFT.

    Where both are below HARMLESS nothing depends on it (and far out in the tail small errors become large factors).

    >>> drifted(3.0, 12.0), drifted(3.0, 2.0), drifted(1e-3, 1e-6)
    (True, False, False)
    """
    low, high = sorted((expected, estimated))
    return high >= HARMLESS and high > DRIFT * low


def tail_line(ranks: Floats, edges: Floats) -> tuple[float, float]:
    """Fit the line to the upper tail of a distribution as it is: intercept and slope.

    Shapes: ranks float64 [b + 1], how many pairs are below each of edges float64 [b + 1], a cosine.

    >>> edges = np.linspace(-1, 1, 201)
    >>> normal = np.array([NormalDist(0.1, 0.2).cdf(edge) for edge in edges.tolist()])
    >>> [round(part, 2) for part in tail_line(normal, edges)]
    [0.1, 0.2]
    """
    intercept, slope, _ = _fit(_TAIL, np.interp(_TAIL * ranks[-1], ranks, edges))
    return round(intercept, _DECIMALS), round(slope, _DECIMALS)


def _alike(identities: Indices) -> float:
    """Share of pairs with equal identities."""
    _, sizes = np.unique(identities, return_counts=True)
    count = len(identities)
    return float((sizes * (sizes - 1)).sum()) / (count * (count - 1)) if count > 1 else 1.0


def _histogram(rows: Floats, identities: Indices) -> Indices:
    """Count the pairs of different identities by cosine, in _BINS equal bins from -1 to 1.

    Products in float64: what their last bits depend on (shape, threads) almost never moves a pair to another bin.
    """
    heights = np.zeros(_BINS, np.int64)
    order = np.arange(len(rows))
    for part in slices(len(rows), _ROWS):
        right = slice(part.start, None)
        cosines = rows[part] @ rows[right].T
        apart = (identities[part, None] != identities[None, right]) & (order[part, None] < order[None, right])
        bins = ((cosines[apart] + 1) * (_BINS / 2)).astype(np.int32)
        heights += np.bincount(np.clip(bins, 0, _BINS - 1), minlength=_BINS)
    return heights


def _clipped(heights: Indices, clip: float) -> tuple[float, float, float] | None:
    """Intercept and slope of the tail below its own clipping point, and the share of pairs clipped beyond chance.

    None if the fit is not straight: then what is left is a mixture.
    """
    edges = np.linspace(-1, 1, _BINS + 1)
    ranks = np.concatenate([[0.0], np.cumsum(heights, dtype=np.float64)])
    inside = _NORMAL.cdf(clip)
    intercept, slope, _ = _fit(_START, np.interp(_START * ranks[-1], ranks, edges))
    for _ in range(_ROUNDS):
        below = float(np.interp(intercept + clip * slope, edges, ranks))
        before = (intercept, slope)
        intercept, slope, bend = _fit(_TAIL, np.interp(_TAIL / inside * below, ranks, edges))
        if abs(intercept - before[0]) + abs(slope - before[1]) < _STILL:
            break
    if slope < _FLATTEST or bend > _STRAIGHT * slope:
        return None
    return round(intercept, _DECIMALS), round(slope, _DECIMALS), max(0.0, 1 - below / inside / ranks[-1])


def _fit(probabilities: Floats, cosines: Floats) -> tuple[float, float, float]:
    """Least-squares line of cosines over normal quantiles: intercept, slope, and the greatest distance from it."""
    z = np.array([_NORMAL.inv_cdf(share) for share in probabilities.tolist()])
    centred = z - z.mean()
    slope = float((centred * cosines).sum() / (centred * centred).sum())
    intercept = float(cosines.mean() - slope * z.mean())
    return intercept, slope, float(np.abs(cosines - intercept - slope * z).max())

"""Thresholds in one unit: the cosine of two unit vectors, and what it costs in false matches per face.

Impostors' cosines have a straight upper tail on normal paper, cosine = intercept + slope x z, so the cosine above which
a face among N expects c impostors is intercept + slope x z(1 - c / N).
"""

from __future__ import annotations

import math
from statistics import NormalDist

_NORMAL = NormalDist()

_WOULD_DO = {
    "cosine": (0.001, 0.999),
    "l2": (0.045, 1.413),
    "squared_l2": (0.002, 1.998),
    "inverse_l2": (0.708, 22.3),
}
"""Round values of each unit that are thresholds: about the cosines from 0.001 to 0.999."""


def to_cosine(value: float, unit: str) -> float:
    """Convert a threshold to a cosine, exactly: for unit vectors l2^2 = 2 - 2 cos.

    Units: `cosine`, `l2`, `squared_l2`, `inverse_l2` (1 / l2). Raises ValueError, saying what would do, when the
    unit is unknown or the cosine is not strictly between 0 and 1.

    >>> to_cosine(0.5, "squared_l2")
    0.75
    """
    low, high = _would_do(unit)
    cosine = value if unit == "cosine" else 1 - _squared_l2(value, unit) / 2
    if not 0 < cosine < 1:
        would_do = f"in {unit} a value from {low:g} to {high:g} would do"
        raise ValueError(f"{value:g} ({unit}) is not a cosine strictly between 0 and 1; {would_do}")
    return cosine


def from_cosine(cosine: float, unit: str) -> float:
    """Convert a cosine, strictly between 0 and 1, to another unit: the inverse of `to_cosine`.

    Raises ValueError when the unit is unknown or the cosine is outside.

    >>> from_cosine(0.75, "squared_l2")
    0.5
    """
    _would_do(unit)
    if not 0 < cosine < 1:
        raise ValueError(f"{cosine:g} is not a cosine strictly between 0 and 1")
    squared = 2 - 2 * cosine
    values = {"cosine": cosine, "l2": math.sqrt(squared), "squared_l2": squared, "inverse_l2": 1 / math.sqrt(squared)}
    return values[unit]


def _would_do(unit: str) -> tuple[float, float]:
    if unit not in _WOULD_DO:
        raise ValueError(f"{unit!r} is not a unit, use one of " + ", ".join(_WOULD_DO))
    return _WOULD_DO[unit]


def _squared_l2(value: float, unit: str) -> float:
    """Squared distance; a distance that is not positive is none (nan)."""
    if not value > 0:
        return math.nan
    if unit == "squared_l2":
        return value
    distance = 1 / value if unit == "inverse_l2" else value
    return distance * distance


def link_cosine(intercept: float, slope: float, impostors: float, faces: int, min_n: int) -> float:
    """Cosine above which a face expects `impostors` impostors among N = max(faces, min_n).

    `intercept` and `slope` are an impostor line. Raises ValueError, saying which tolerance would do, when the cosine
    is not strictly between 0 and 1.

    >>> round(link_cosine(0.038, 0.161, 3, 13_233, 1_000), 3)
    0.603
    """
    count = max(faces, min_n)
    share = impostors / count
    cosine = intercept - slope * _NORMAL.inv_cdf(share) if 0 < share < 1 else math.nan
    if 0 < cosine < 1:
        return cosine
    low, high = (false_matches_at(bound, intercept, slope, faces, min_n) for bound in (1.0, 0.0))
    problem = f"{impostors:g} false matches per face among {count} faces give no cosine strictly between 0 and 1"
    raise ValueError(f"{problem}; link.false_matches above {low:.3g} and below {high:.3g} would do")


def false_matches_at(cosine: float, intercept: float, slope: float, faces: int, min_n: int) -> float:
    """Impostors that a face expects above `cosine` among N = max(faces, min_n): the inverse of `link_cosine`.

    Exact far out in the tail (the complementary error function).

    >>> round(false_matches_at(0.602, 0.038, 0.161, 13_233, 1_000), 2)
    3.04
    """
    return max(faces, min_n) * math.erfc((cosine - intercept) / slope / math.sqrt(2)) / 2

"""Thresholds in one unit: the cosine of two unit vectors, and what it costs in strangers per face.

Strangers' cosines have a straight upper tail on normal paper, cosine = intercept + slope x z, so the cosine above which
a face among N expects c strangers is intercept + slope x z(1 - c / N).
"""

from __future__ import annotations

import math
from statistics import NormalDist

_NORMAL = NormalDist()

_RANGES = {
    "cosine": "from 0 to 1",
    "l2": "from 0 to 1.414",
    "squared_l2": "from 0 to 2",
    "inverse_l2": "above 0.7072",
}


def to_cosine(value: float, unit: str) -> float:
    """Convert a threshold to a cosine, exactly: for unit vectors l2^2 = 2 - 2 cos.

    Units: `cosine`, `l2`, `squared_l2`, `inverse_l2` (1 / l2). Raises ValueError, saying what would do, when the
    unit is unknown or the cosine is not strictly between 0 and 1.

    >>> to_cosine(0.5, "squared_l2")
    0.75
    """
    if unit not in _RANGES:
        raise ValueError(f"{unit!r} is not a unit, use one of " + ", ".join(_RANGES))
    cosine = _cosine_of(value, unit)
    if not 0 < cosine < 1:
        would_do = f"in {unit} use a value {_RANGES[unit]}, ends excluded"
        raise ValueError(f"{value:g} ({unit}) is not a cosine strictly between 0 and 1; {would_do}")
    return cosine


def _cosine_of(value: float, unit: str) -> float:
    if unit == "cosine":
        return value
    if value <= 0:
        return math.nan
    distance = {"l2": value, "squared_l2": math.sqrt(value), "inverse_l2": 1 / value}[unit]
    return 1 - distance * distance / 2


def link_cosine(intercept: float, slope: float, strangers: float, faces: int, min_n: int) -> float:
    """Cosine above which a face expects `strangers` strangers among N = max(faces, min_n).

    `intercept` and `slope` are the model's strangers' line. Raises ValueError, saying which tolerance would do, when
    the cosine is not strictly between 0 and 1.

    >>> round(link_cosine(0.038, 0.161, 3, 13_233, 1_000), 3)
    0.603
    """
    count = max(faces, min_n)
    share = strangers / count
    cosine = intercept - slope * _NORMAL.inv_cdf(share) if 0 < share < 1 else math.nan
    if 0 < cosine < 1:
        return cosine
    low, high = (strangers_at(bound, intercept, slope, faces, min_n) for bound in (1.0, 0.0))
    problem = f"{strangers:g} strangers per face among {count} faces give no cosine strictly between 0 and 1"
    raise ValueError(f"{problem}; link.strangers above {low:.3g} and below {high:.3g} would do")


def strangers_at(cosine: float, intercept: float, slope: float, faces: int, min_n: int) -> float:
    """Strangers that a face expects above `cosine` among N = max(faces, min_n): the inverse of `link_cosine`.

    >>> round(strangers_at(0.602, 0.038, 0.161, 13_233, 1_000), 2)
    3.04
    """
    return max(faces, min_n) * _NORMAL.cdf((intercept - cosine) / slope)

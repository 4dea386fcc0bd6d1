"""What became of planted images, in numbers, and the targets beside them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from planting import FLIP, GOOD, OTHER_PERSON, STRANGER, Planted

Flags = npt.NDArray[np.bool_]
Measures = dict[str, float]

SURE = 0.9
"""A proposal above this confidence should never be false."""

_NOISE = {"good kept": (">=", 0.995), "noise left": ("<=", 0.005)}
_FLIPS = {"flips moved right": (">=", 0.95), "flips kept": ("<=", 0.0), "good moved wrong": ("<=", 0.001)}
_CUT = {"cuts proposed": (">=", 1.0), "false proposals above 0.9": ("<=", 0.0)}
_EASIER = {"good kept": (">=", 0.99)}
TARGETS = {
    "noise10": _NOISE,
    "noise30": _NOISE,
    "noise50": _NOISE | {"noise left": ("<=", 0.01)},
    "flips": _FLIPS,
    "cut": _CUT,
    "crowd": _NOISE | _FLIPS | _CUT,
}


def joined(planted: Planted, decided: pd.DataFrame) -> pd.DataFrame:
    """Return the decisions in the order of the planted images, with truth, kind and what is right of them.

    belongs: the image shows the person of the folder it is in; target_right: it shows that of `moved_to`.
    """
    rows = decided.set_index("uri").loc[planted.uri].reset_index()
    targets = [None if pd.isna(target) else target for target in rows["moved_to"]]
    right = {"belongs": planted.belongs(planted.identity), "target_right": planted.belongs(targets)}
    return rows.assign(truth=planted.truth, kind=planted.kind, **right)


def measures(planted: Planted, decided: pd.DataFrame, links: pd.DataFrame) -> Measures:
    """Measure one run: shares of the images of a kind, and what was proposed of identities."""
    rows = joined(planted, decided)
    kept, moved = (rows["verdict"] == "keep").to_numpy(), (rows["verdict"] == "move").to_numpy()
    moved_right = moved & rows["target_right"].to_numpy()
    right = (kept & rows["belongs"].to_numpy()) | moved_right
    wrong = (kept | moved) & ~right
    found = {"images": float(len(rows))} | _of_good(planted, rows, right, moved & ~moved_right)
    found |= _of_noise(planted, wrong, kept | moved)
    flips = planted.are(FLIP)
    if flips.any():
        found |= {"flips moved right": _share(moved_right, flips), "flips moved wrong": _share(moved & wrong, flips)}
        found |= {f"flips {name}": _share(flags, flips) for name, flags in _unmoved(rows).items()} | {
            "flips kept": _share(kept, flips)
        }
    return found | _of_cuts(planted, links)


def peer(planted: Planted, kept: Flags) -> Measures:
    """Measure what a rule keeps that knows folders alone."""
    bad = ~planted.belongs(planted.identity)
    good, noise, flips = planted.are(GOOD), planted.are(STRANGER) | planted.are(OTHER_PERSON), planted.are(FLIP)
    found = {"peer: good kept": _share(kept, good), "peer: noise left": _share(kept, noise)}
    found |= {f"peer: {kind} left": _share(kept, planted.are(kind)) for kind in (STRANGER, OTHER_PERSON)}
    found |= {"peer: flips kept": _share(kept, flips), "peer: wrong among published": _share(bad, kept)}
    return {name: value for name, value in found.items() if not np.isnan(value)}


def mean(measured: Sequence[Measures]) -> Measures:
    """Mean of each measure over the seeds that have it."""
    names = dict.fromkeys(name for each in measured for name in each)
    return {name: float(np.mean([each[name] for each in measured if name in each])) for name in names}


def report(title: str, measured: Measures, model: str, case: str) -> str:
    """Write the measures, target beside measured where there is one."""
    targets = TARGETS.get(case, {}) | (
        _EASIER if model == "mobilefacenet" and "good kept" in TARGETS.get(case, {}) else {}
    )
    lines = [f"== {title}"]
    for name, value in measured.items():
        aim = ""
        if name in targets:
            sign, limit = targets[name]
            met = value >= limit - 1e-12 if sign == ">=" else value <= limit + 1e-12
            aim = f"   target {sign} {_shown(name, limit).strip()}   {'met' if met else 'MISSED'}"
        lines.append(f"{name:<34}{_shown(name, value):>12}{aim}")
    return "\n".join(lines)


def _of_good(planted: Planted, rows: pd.DataFrame, right: Flags, moved_wrong: Flags) -> Measures:
    good = planted.are(GOOD)
    lost = {f"good {name}": _share(flags, good) for name, flags in _unmoved(rows).items()}
    return {"good kept": _share(right, good), "good moved wrong": _share(moved_wrong, good)} | lost


def _unmoved(rows: pd.DataFrame) -> dict[str, Flags]:
    return {
        flags: (rows["verdict"] == verdict).to_numpy()
        for flags, verdict in (("dropped", "drop"), ("quarantined", "quarantine"))
    }


def _of_noise(planted: Planted, wrong: Flags, published: Flags) -> Measures:
    noise = planted.are(STRANGER) | planted.are(OTHER_PERSON)
    found = {"noise left": _share(wrong, noise)} if noise.any() else {}
    found |= {f"{kind} left": _share(wrong, planted.are(kind)) for kind in (STRANGER, OTHER_PERSON) if noise.any()}
    return found | {"wrong among published": _share(wrong, published)}


def _of_cuts(planted: Planted, links: pd.DataFrame) -> Measures:
    person_of = planted.person_of
    halves = {person for name, person in person_of.items() if name != person}
    pairs = [
        (person_of[row.identity_a], person_of[row.identity_b], 0.0 if pd.isna(row.confidence) else row.confidence)
        for row in links.itertuples()
    ]
    false = [confidence for one, other, confidence in pairs if one != other]
    found = {
        "false proposals": float(len(false)),
        "greatest confidence of a false one": max(false, default=0.0),
        "false proposals above 0.9": float(sum(confidence > SURE for confidence in false)),
    }
    proposed = {one for one, other, _ in pairs if one == other}
    return ({"cuts proposed": len(proposed & halves) / len(halves)} if halves else {}) | found


def _share(flags: Flags, of: Flags) -> float:
    return float(flags[of].mean()) if of.any() else float("nan")


def _shown(name: str, value: float) -> str:
    if name.startswith(("images", "verdict", "policy", "false")):
        return f"{value:,.1f}".removesuffix(".0")
    if name.startswith("seconds"):
        return f"{value:.1f} s"
    return f"{value:.3f}" if name.startswith("greatest") else f"{100 * value:.2f} %"

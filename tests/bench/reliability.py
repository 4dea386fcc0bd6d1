"""How far `decisions.confidence` can be believed: expected and true shares side by side.

Confidence is the probability that the verdict is right: for keep, that the face is of the folder's person; for drop as
an outlier, that it is not; for move, that the target is right. For quarantine it is the probability that the face is of
the folder's person. The expected calibration error is the mean over images of |expected - true| of their bin.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd

BINS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)
VERDICTS = ("keep", "drop", "move", "quarantine")


def report(rows: pd.DataFrame) -> str:
    """Write the table of each verdict and the error of each and of all; rows as `scoring.joined` makes them."""
    judged = of_verdicts(rows)
    rated = judged.dropna(subset=["confidence"])
    lines = [f"== reliability: {len(rated):,} of {len(judged):,} judged images have a confidence"]
    for verdict in VERDICTS:
        mine = rated[rated["verdict"] == verdict]
        if len(mine):
            lines.append(f"{verdict}: {len(mine):,} images, expected calibration error {error(mine):.4f}")
            lines.append(table(mine).to_string(index=False, float_format="{:.4f}".format))
    return "\n".join([*lines, f"all: expected calibration error {error(rated):.4f}"] if len(rated) else lines)


def of_verdicts(rows: pd.DataFrame) -> pd.DataFrame:
    """Return verdict, confidence and right (as defined above) of the images whose verdict has such a probability."""
    belongs, target = rows["belongs"].astype(bool), rows["target_right"].astype(bool)
    first = [str(reasons[0]) if reasons is not None and len(reasons) else "" for reasons in rows["reasons"]]
    outlier = pd.Series(first, index=rows.index) == "outlier"
    right = pd.Series(
        np.where(rows["verdict"] == "drop", ~belongs, np.where(rows["verdict"] == "move", target, belongs))
    )
    wanted = rows["verdict"].isin(["keep", "move", "quarantine"]) | ((rows["verdict"] == "drop") & outlier)
    confidence = pd.to_numeric(rows["confidence"])
    judged = pd.DataFrame({"verdict": rows["verdict"], "confidence": confidence, "right": right.to_numpy(bool)})
    return judged[wanted]


def table(judged: pd.DataFrame) -> pd.DataFrame:
    """Count, mean confidence and share right per bin that holds something; the last bin holds its upper end."""
    place = np.clip(np.searchsorted(BINS, judged["confidence"], side="right") - 1, 0, len(BINS) - 2)
    names = np.array([f"{low:g} - {high:g}" for low, high in pairwise(BINS)])
    grouped = judged.assign(place=place).groupby("place")
    found = grouped.agg(images=("right", "size"), expected=("confidence", "mean"), true=("right", "mean")).reset_index()
    return found.assign(confidence=names[found["place"]])[["confidence", "images", "expected", "true"]]


def error(judged: pd.DataFrame) -> float:
    """Expected calibration error."""
    found = table(judged)
    return float(np.average(np.abs(found["expected"] - found["true"]), weights=found["images"]))

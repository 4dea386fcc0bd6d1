"""Doubts about a face's quality, from what was measured when it was found."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

from facesieve.core import sections
from facesieve.core.reasons import Reason

QUALITY = (Reason.SMALL_BOX, Reason.LOW_CONFIDENCE, Reason.BLURRED, Reason.EXTREME_ASPECT)
"""The reasons that speak of quality."""


def doubts(settings: sections.Decide) -> Column:
    """Say what is doubtful of a row of `embeddings`: array<string>, by name; what was not measured is not doubted.

    The limits are `decide.small_box` (pixels, shorter side of the box), `low_confidence`, `blurred` (column sharpness)
    and `extreme_aspect` (longer side by shorter side). What the table holds in `reasons` stays.
    """
    width, height = F.col("box.width"), F.col("box.height")
    measured = {
        Reason.SMALL_BOX: F.least(width, height) < settings.small_box,
        Reason.LOW_CONFIDENCE: F.col("confidence") < settings.low_confidence,
        Reason.BLURRED: F.col("sharpness") < settings.blurred,
        Reason.EXTREME_ASPECT: F.greatest(width, height) > F.least(width, height) * settings.extreme_aspect,
    }
    noted = F.array_compact(F.array(*(F.when(doubt, reason.value) for reason, doubt in measured.items())))
    stored = F.coalesce("reasons", F.array().cast("array<string>"))
    return F.array_sort(F.array_union(stored, noted))

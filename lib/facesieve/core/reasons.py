"""The closed vocabulary of verdicts and reasons: what may be said of an image."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the decoder's process starts without Spark
    from pyspark.sql import Column


class Verdict(str, Enum):
    """What becomes of an image. Every image of the listing gets exactly one."""

    KEEP = "keep"
    DROP = "drop"
    MOVE = "move"
    QUARANTINE = "quarantine"
    FAIL = "fail"


PUBLISHED = (Verdict.KEEP.value, Verdict.MOVE.value)
"""Verdicts of the images that make the cleaned data set."""


def is_published(verdict: Column) -> Column:
    """Say of a column of verdicts which are of images that make the cleaned data set; null stays null."""
    return verdict.isin(*PUBLISHED)


class Reason(str, Enum):
    """Why an image got its verdict, or a doubt that a face collected on the way."""

    UNDECODABLE = "undecodable"
    EMPTY = "empty"
    WRONG_TYPE = "wrong_type"
    TOO_LARGE = "too_large"
    BAD_ASPECT = "bad_aspect"
    NO_FACE = "no_face"
    CROP_OUTSIDE = "crop_outside"
    ERASED = "erased"
    OVERRIDDEN = "overridden"
    OVERLAP = "overlap"
    UNREAD = "unread"
    TWO_IDENTITIES = "two_identities"
    DUPLICATE = "duplicate"
    NEAR_DUPLICATE = "near_duplicate"
    FLIP = "flip"
    OUTLIER = "outlier"
    IDENTITY_TOO_SMALL = "identity_too_small"
    CLOSE_MODES = "close_modes"
    LOW_COHESION = "low_cohesion"
    UNCLUSTERED = "unclustered"
    MERGED = "merged"
    SMALL_BOX = "small_box"
    LOW_CONFIDENCE = "low_confidence"
    BLURRED = "blurred"
    EXTREME_ASPECT = "extreme_aspect"
    BURST = "burst"
    REPAIRED = "repaired"
    RECOLOURED = "recoloured"


REJECTING = frozenset(
    {
        Reason.UNDECODABLE,
        Reason.EMPTY,
        Reason.WRONG_TYPE,
        Reason.TOO_LARGE,
        Reason.BAD_ASPECT,
        Reason.NO_FACE,
        Reason.CROP_OUTSIDE,
        Reason.ERASED,
    }
)
"""Reasons that a row of `rejects` may bear: the image gave no face at all."""

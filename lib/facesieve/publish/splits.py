"""Which part of a data set a face is for: train, validation or test. The part hangs on an id alone.

The SHA-256 of the id is a number from 0 to 1. Below the share of test it is test, then comes validation. So images that
are added change nothing for those that are there.
"""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

from facesieve.core.sections import Publish

TRAIN, VALIDATION, TEST = SPLITS = ("train", "validation", "test")

_HEX, _BITS = 13, 52
"""So many hex digits count: a double holds their number exactly."""


def split_of(settings: Publish) -> Column | None:
    """Return the column of the parts, from identity or image_id; None where nothing is to be split.

    By image it is the SHA-256 of image_id in decimal, by identity that of the name's UTF-8 bytes.
    """
    if settings.split == "none":
        return None
    place = _place(F.col("identity") if settings.split == "identity" else F.col("image_id").cast("string"))
    held_out = settings.test + settings.validation
    return F.when(place < settings.test, TEST).when(place < held_out, VALIDATION).otherwise(TRAIN)


def _place(name: Column) -> Column:
    """A number from 0 to 1, below 1, that hangs on the name alone."""
    digits = F.substring(F.sha2(name.cast("binary"), 256), 1, _HEX)
    return F.conv(digits, 16, 10).cast("double") / F.lit(float(2**_BITS))

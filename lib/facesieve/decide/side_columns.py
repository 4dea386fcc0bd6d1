"""What is known of images from elsewhere: people's verdicts, and who is protected."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.core.reasons import Verdict


@dataclass(frozen=True)
class Asides:
    """Verdicts by hand (image_id, ruled, moved_to) and overlaps (image_id, cosine), one row per image; None: none."""

    overrides: DataFrame | None = None
    overlap: DataFrame | None = None

    def join(self, images: DataFrame) -> DataFrame:
        """Add ruled and ruled_to (null: nobody ruled), overlap, overlap_cosine to rows with image_id, identity."""
        return images.transform(self._ruled).transform(self._overlapping)

    def _ruled(self, images: DataFrame) -> DataFrame:
        if self.overrides is None:
            nothing = F.lit(None).cast("string")
            return images.withColumns({"ruled": nothing, "ruled_to": nothing})
        said = self.overrides.select("image_id", "ruled", F.col("moved_to").alias("ruled_to"))
        joined = images.join(said, "image_id", how="left")
        # To be moved to where it is, is to be kept there.
        at_home = (F.col("ruled") == Verdict.MOVE.value) & (F.col("ruled_to") == F.col("identity"))
        return joined.withColumns(
            {
                "ruled": F.when(at_home, Verdict.KEEP.value).otherwise(F.col("ruled")),
                "ruled_to": F.when(at_home, None).otherwise(F.col("ruled_to")),
            }
        )

    def _overlapping(self, images: DataFrame) -> DataFrame:
        if self.overlap is None:
            return images.withColumns({"overlap": F.lit(False), "overlap_cosine": F.lit(None).cast("float")})
        marked = self.overlap.select("image_id", F.col("cosine").alias("overlap_cosine"))
        joined = images.join(marked, "image_id", how="left")
        return joined.withColumn("overlap", F.col("overlap_cosine").isNotNull())

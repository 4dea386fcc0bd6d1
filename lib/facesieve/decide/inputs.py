"""What `decide` works on: the tables, what people say of images, and the settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NewType

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.core import sections
from facesieve.core.frames import columns
from facesieve.core.reasons import Verdict
from facesieve.core.tables import Clusters, Edges, Embeddings, Listing, Rejects
from facesieve.decide.kernels.membership import Scale
from facesieve.decide.photographs import Sight

ListedImages = NewType("ListedImages", DataFrame)
"""Rows with the columns image_id and identity of the listing, and others."""

Overrides = NewType("Overrides", DataFrame)
OVERRIDES = columns("image_id bigint, verdict string, moved_to string")
"""People's verdicts, one row per image; moved_to of a move."""

Overlaps = NewType("Overlaps", DataFrame)
OVERLAPS = columns("image_id bigint, cosine float")
"""Images that show a protected person, one row each, and the cosine of the nearest protected face."""


@dataclass(frozen=True)
class SideInputs:
    """What is known of images from elsewhere; None where nobody is overridden or protected."""

    overrides: Overrides | None = None
    overlaps: Overlaps | None = None

    def join(self, images: ListedImages) -> ListedImages:
        """Add override and override_to, overlap and overlap_cosine."""
        return ListedImages(images.transform(self._overridden).transform(self._overlapping))

    def _overridden(self, images: DataFrame) -> DataFrame:
        if self.overrides is None:
            nothing = F.lit(None).cast("string")
            return images.withColumns({"override": nothing, "override_to": nothing})
        verdicts = self.overrides.select(
            "image_id", F.col("verdict").alias("override"), F.col("moved_to").alias("override_to")
        )
        # To be moved to where it is, is to be kept there.
        stays = (F.col("override") == Verdict.MOVE.value) & (F.col("override_to") == F.col("identity"))
        return images.join(verdicts, "image_id", how="left").withColumns(
            {
                "override": F.when(stays, Verdict.KEEP.value).otherwise(F.col("override")),
                "override_to": F.when(stays, None).otherwise(F.col("override_to")),
            }
        )

    def _overlapping(self, images: DataFrame) -> DataFrame:
        if self.overlaps is None:
            return images.withColumns({"overlap": F.lit(False), "overlap_cosine": F.lit(None).cast("float")})
        marked = self.overlaps.select("image_id", F.col("cosine").alias("overlap_cosine"))
        joined = images.join(marked, "image_id", how="left")
        return joined.withColumn("overlap", F.col("overlap_cosine").isNotNull())


@dataclass(frozen=True)
class Inputs:
    """What is decided upon: rejects and embeddings of one model, clusters and edges of the faces of the listing.

    sight: what sees the pictures of images that may be copies.
    """

    listing: Listing
    embeddings: Embeddings
    rejects: Rejects
    clusters: Clusters
    edges: Edges
    side_inputs: SideInputs = field(default_factory=SideInputs)
    sight: Sight = field(default_factory=Sight)


@dataclass(frozen=True)
class Basis:
    """What the rules go by: the settings, `link.scope`, what the model's cosines mean (None: the profile does not say),
    and the cosine from which the medoid of a mode is near that of the largest."""

    settings: sections.Decide
    link_scope: str
    scale: Scale | None = None
    medoid_cosine: float = 1.0

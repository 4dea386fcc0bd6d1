"""Where the faces of a picture are, and their crops at the model's size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facesieve import models
from facesieve.config import Embed
from facesieve.kernels import pixels
from facesieve.profiles import Margin, Profile
from facesieve.reasons import Reason
from facesieve.stages.pictures import Unusable

Box = tuple[float, float, float, float]

_SOUGHT_FACE = 20
"""Side in pixels from which the detector looks for faces unless `embed.min_face` is smaller: the package's default."""

_SOUGHT_CONFIDENCE = 0.8
"""Confidence from which the detector reports faces unless `embed.min_confidence` is lower: the package's default."""


@dataclass(frozen=True)
class Face:
    """A face in a picture: its box and what is cut for the model, (x, y, width, height) in pixels, and what is known.

    Both may reach over the border: `pixels.resample` repeats the edge there.
    """

    box: Box
    cut: Box
    landmarks: tuple[float, ...] | None = None
    confidence: float | None = None


def faces(picture: npt.NDArray[np.uint8], profile: Profile, embed: Embed) -> list[Face]:
    """Return the faces of a picture (uint8 [H, W, 3]), the largest first. Raises Unusable(no_face) if there is none."""
    if embed.detector == "aligned":
        return [_aligned(picture, profile)]
    return _detected(picture, profile, embed)


def _aligned(picture: npt.NDArray[np.uint8], profile: Profile) -> Face:
    """The profile's crop, whose box is the crop itself; the whole image if the profile has none."""
    height, width = picture.shape[:2]
    crop = profile.crop
    if crop is None:
        whole = (0.0, 0.0, float(width), float(height))
        return Face(whole, whole)
    if crop.centre_x >= width or crop.centre_y >= height:
        raise Unusable(Reason.NO_FACE, f"the image of {width} x {height} pixels ends before the centre of the crop")
    box = (crop.centre_x - crop.side / 2, crop.centre_y - crop.side / 2, crop.side, crop.side)
    return Face(box, box)


def _detected(picture: npt.NDArray[np.uint8], profile: Profile, embed: Embed) -> list[Face]:
    smallest = min(_SOUGHT_FACE, embed.min_face)
    found = models.detect(picture, embed.detector_side, smallest, min(_SOUGHT_CONFIDENCE, embed.min_confidence))
    large = [one for one in found if min(one.box[2:]) >= embed.min_face]
    sure = [one for one in large if one.confidence >= embed.min_confidence]
    if not sure:
        raise Unusable(Reason.NO_FACE, _ignored(len(found) - len(large), len(large), embed))
    ranked = sorted(sure, key=_rank)
    share = (profile.margin or Margin()).share
    chosen = ranked[:1] if embed.faces == "largest" else ranked
    return [Face(one.box, pixels.square(one.box, share), one.landmarks, one.confidence) for one in chosen]


def _rank(found: models.Detection) -> tuple[float, ...]:
    """Largest area first, then the surer one, then the one farther left, then farther up."""
    x, y, width, height = found.box
    return (-width * height, -found.confidence, x, y)


def _ignored(small: int, unsure: int, embed: Embed) -> str:
    said = []
    if small:
        said.append(f"{small} below embed.min_face ({embed.min_face} pixels)")
    if unsure:
        said.append(f"{unsure} below embed.min_confidence ({embed.min_confidence:g})")
    return "no face was found" + (": ignored are " + ", ".join(said) if said else "")

"""The aligned face of a published image, as the model got it, as an image file of the profile's size."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from facesieve.core.profiles import Profile
from facesieve.core.sections import Embed
from facesieve.embed.crops import again, cut, magnified
from facesieve.embed.decoder_client import decoder
from facesieve.embed.picture import Picture, Unusable

Row = dict[str, Any]

_JPEG: dict[str, Any] = {"quality": 95, "subsampling": 0}
SUFFIXES = {"png": "png", "jpeg": "jpg"}
"""By `publish.crop_format`."""


@dataclass(frozen=True)
class FaceCutter:
    """Cuts faces out of image files. It can be pickled; the image is decoded in the worker's decoder process."""

    profile: Profile
    embed: Embed
    crop_format: str

    def __call__(self, content: bytes, row: Row) -> bytes:
        """Return the image file of a face: row with box (of `embeddings`) and landmarks. Raises Unusable."""
        child = decoder(self.embed)
        picture = child.decode(content)
        height, width = self.profile.input
        face = again(_box(row), _points(row), picture, self.profile.margin)
        if magnified(picture, face, (height, width)):
            picture = self._full(content, picture)
        pixels = np.rint(cut(picture, face, (height, width))).clip(0, 255).astype(np.uint8)
        file = io.BytesIO()
        if self.crop_format == "jpeg":
            Image.fromarray(pixels).save(file, "JPEG", **_JPEG)
        else:
            Image.fromarray(pixels).save(file, "PNG")
        return file.getvalue()

    def _full(self, content: bytes, reduced: Picture) -> Picture:
        try:
            return decoder(self.embed).decode(content, full=True)
        except Unusable:  # as the model got it: too large for memory or time
            return reduced


def _box(row: Row) -> tuple[float, float, float, float]:
    box = row["box"]
    return box["x"], box["y"], box["width"], box["height"]


def _points(row: Row) -> tuple[float, ...] | None:
    return None if row["landmarks"] is None else tuple(row["landmarks"])

"""A decoded image, and why an image gives none: what the decoder, the search and the workers speak of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facesieve.core.reasons import Reason

_LONGEST_DETAIL = 120


@dataclass(frozen=True)
class Picture:
    """A decoded image, upright: `pixels` uint8 [h, w, 3] in RGB, and the size of the full image in pixels.

    `pixels` may be smaller than the full image: large JPEGs are decoded at a fraction of their size. `notes`: what was
    mended, for the reasons of its faces.
    """

    pixels: npt.NDArray[np.uint8]
    width: int
    height: int
    notes: tuple[Reason, ...] = ()

    @property
    def scale(self) -> float:
        """How many pixels of the full image one of `pixels` stands for, along either side: 1 or more."""
        return float(self.width / self.pixels.shape[1])


class Unusable(Exception):
    """An image gives no face: the reason and a detail without path or pixels."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail[:_LONGEST_DETAIL]

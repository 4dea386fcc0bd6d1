"""The perceptual hash of a picture: bits that stay when the picture is encoded anew, resized or cropped a little.

It is ImageHash's difference hash, 16 x 16: does it get brighter from one part of the width to the next? Cut 3 % off
each side and a fifth of the bits change, as many as between different photographs of one sitting. So a few cut views
are hashed too: of two copies, the whole of the one is like some view of the other (`tests/bench/duplicates.py`).
"""

from __future__ import annotations

from itertools import product

import imagehash
import numpy as np
import numpy.typing as npt
from PIL import Image

SIDE = 16
"""Rows and columns of bits in the hash of one view."""

VIEW_BYTES = SIDE * SIDE // 8

_CUT = 0.03
_CORNERS = sorted(product((0.0, _CUT), repeat=4), key=lambda cuts: (sum(cuts) > 0, cuts))
_MORE_OR_LESS = ((_CUT / 2,) * 4, (_CUT * 1.5,) * 4)
VIEWS = (*_CORNERS, *_MORE_OR_LESS)
"""Shares of the sides that a view leaves out at left, top, right and bottom; the first is the whole picture."""

_LARGEST = 256
"""Pixels of the longer side from which on a picture is made smaller first: views are small, pictures may be large."""


def perceptual_hash(picture: npt.NDArray[np.uint8]) -> bytes:
    """Hash the views of a picture: uint8 [H, W, 3] -> VIEW_BYTES for each of VIEWS, the whole picture first.

    The bits of a view are those of ImageHash's matrix, row by row, the first in a byte's highest bit.
    Source: N. Krawetz, Kind of Like That, 2013 (difference hash), as the library ImageHash makes it.
    """
    grey = Image.fromarray(picture).convert("L")
    grey.thumbnail((_LARGEST, _LARGEST), Image.Resampling.LANCZOS)
    bits = [imagehash.dhash(_view(grey, cuts), SIDE).hash for cuts in VIEWS]
    return np.packbits(np.stack(bits)).tobytes()


def _view(image: Image.Image, cuts: tuple[float, ...]) -> Image.Image:
    left, top, right, bottom = cuts
    width, height = image.size
    box = (round(left * width), round(top * height), width - round(right * width), height - round(bottom * height))
    return image.crop(box)

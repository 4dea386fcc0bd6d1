"""The perceptual hash of a picture: bits that stay when the picture is encoded anew, resized or cropped a little.

It is the difference hash as the library ImageHash makes it, 16 x 16: does it get brighter from one part of the width to
the next? Cut 3 % off each side and a fifth of the bits change, as many as between different photographs of one sitting.
So a few cut views are hashed too: of two copies, the whole of the one is like some view of the other
(`tests/bench/duplicates.py`). The library would resize the picture anew for each view, which takes longer than all else
that is done to an image beside the model; here all views are two matrix products. A test holds it to the library.
"""

from __future__ import annotations

from functools import cache, lru_cache
from itertools import product

import numpy as np
import numpy.typing as npt
from PIL import Image

from facesieve.core.reasons import Reason
from facesieve.core.resemblance import Resembled
from facesieve.embed.picture import Picture, Unusable

SIDE = 16
"""Rows and columns of bits in the hash of one view."""

VIEW_BYTES = SIDE * SIDE // 8

_CUT = 0.03
_CORNERS = sorted(product((0.0, _CUT), repeat=4), key=lambda cuts: (sum(cuts) > 0, cuts))
_MORE_OR_LESS = ((_CUT / 2,) * 4, (_CUT * 1.5,) * 4)
VIEWS = (*_CORNERS, *_MORE_OR_LESS)
"""Shares of the sides that a view leaves out at left, top, right and bottom; the first is the whole picture."""

FACE_BYTES = (len(VIEWS) + 1) * VIEW_BYTES
"""Of the hash of a face: all views, and the whole of its mirror image."""

TURNS = (1, 2, 3)
"""Quarter turns, counter-clockwise, by which the whole picture is hashed too."""

TURNED_BYTES = len(TURNS) * VIEW_BYTES

_TRANSPOSED = (Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)

_ENOUGH = 128
"""Pixels of the longer side that are enough: a larger picture is first averaged down by a whole number."""

_LOBES = 3
"""Of the Lanczos kernel, as in Pillow's LANCZOS."""


def perceptual_hash(picture: npt.NDArray[np.uint8]) -> bytes:
    """Hash the views of a picture: uint8 [H, W, 3] -> VIEW_BYTES for each of VIEWS, the whole picture first.

    The bits of a view are those of ImageHash's matrix, row by row, the first in a byte's highest bit. Of 120
    photographs 3 of the whole picture's 256 bits differ from the library's on average, 6 of a cut view's, where
    neighbours are about equally bright (a cut in the library's picture falls on whole pixels).
    Source: N. Krawetz, Kind of Like That, 2013 (difference hash), and the library ImageHash.
    """
    return _views(_reduced(_grey(picture)))


def face_hash(crop: npt.NDArray[np.uint8]) -> bytes:
    """Hash the views of a face and the mirrored face: uint8 [h, w, 3] -> FACE_BYTES, the mirrored whole last."""
    return perceptual_hash(crop) + _whole(_reduced(_grey(np.ascontiguousarray(crop[:, ::-1]))))


def turned_hash(picture: npt.NDArray[np.uint8]) -> bytes:
    """Hash the whole picture turned by each of TURNS: uint8 [H, W, 3] -> TURNED_BYTES."""
    grey = _grey(picture)
    return _turns(grey, _reduced(grey))


def picture_hashes(picture: npt.NDArray[np.uint8]) -> tuple[bytes, bytes]:
    """Hash a picture as `perceptual_hash` and as `turned_hash` do, in less time than both."""
    grey = _grey(picture)
    reduced = _reduced(grey)
    return _views(reduced), _turns(grey, reduced)


def unless_copy(picture: Picture, erased: Resembled) -> Picture:
    """Return a picture that is no near copy of an erased one, as it is or mirrored. Raises Unusable (erased)."""
    if erased.bands:
        grey = _grey(picture.pixels)
        views = (grey, grey.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
        if any(erased.resembles(_whole(_reduced(view))) for view in views):
            raise Unusable(Reason.ERASED, "")
    return picture


def orientations(whole: bytes, turned: bytes) -> list[bytes]:
    """Return the hashes of a picture and of its quarter turns, from columns of `embeddings`: VIEW_BYTES each."""
    return [whole[:VIEW_BYTES], *(turned[at : at + VIEW_BYTES] for at in range(0, len(turned), VIEW_BYTES))]


def _grey(picture: npt.NDArray[np.uint8]) -> Image.Image:
    return Image.fromarray(picture).convert("L")


def _views(grey: npt.NDArray[np.float32]) -> bytes:
    height, width = grey.shape
    across, down, blocks = _cuts()
    columns = np.concatenate([_lanczos(width, cut, SIDE + 1) for cut in across])
    rows = np.concatenate([_lanczos(height, cut, SIDE) for cut in down])
    small = rows @ grey @ columns.T
    views = np.rint(small).reshape(len(down), SIDE, len(across), SIDE + 1).transpose(0, 2, 1, 3)[blocks]
    return np.packbits(views[:, :, 1:] > views[:, :, :-1]).tobytes()


def _turns(grey: Image.Image, reduced: npt.NDArray[np.float32]) -> bytes:
    """The whole picture turned. To turn the reduced one is the same if each of its pixels stands for as many."""
    factor = _factor(grey)
    if grey.width % factor == 0 and grey.height % factor == 0:
        return b"".join(_whole(np.ascontiguousarray(np.rot90(reduced, turn))) for turn in TURNS)
    return b"".join(_whole(_reduced(grey.transpose(turn))) for turn in _TRANSPOSED)


def _whole(grey: npt.NDArray[np.float32]) -> bytes:
    height, width = grey.shape
    whole = VIEWS[0]
    small = np.rint(_lanczos(height, whole[1::2], SIDE) @ grey @ _lanczos(width, whole[::2], SIDE + 1).T)
    return np.packbits(small[:, 1:] > small[:, :-1]).tobytes()


def _reduced(grey: Image.Image) -> npt.NDArray[np.float32]:
    return np.asarray(grey.reduce(_factor(grey)), dtype=np.float32)


def _factor(grey: Image.Image) -> int:
    return max(1, max(grey.size) // _ENOUGH)


@cache
def _cuts() -> tuple[list[tuple[float, float]], list[tuple[float, float]], tuple[list[int], list[int]]]:
    """The cuts that views make across and down, each once, and for each view the numbers of its two (down, across)."""
    across = sorted({(left, right) for left, _, right, _ in VIEWS})
    down = sorted({(top, bottom) for _, top, _, bottom in VIEWS})
    numbers = [(down.index((top, bottom)), across.index((left, right))) for left, top, right, bottom in VIEWS]
    return across, down, ([number for number, _ in numbers], [number for _, number in numbers])


@lru_cache(maxsize=4_096)
def _lanczos(length: int, cut: tuple[float, float], parts: int) -> npt.NDArray[np.float32]:
    """Weights of `length` pixels in each of `parts` parts of what is left between two cuts: [parts, length].

    Source: Pillow's resampling: a Lanczos kernel of three lobes that widens with the scale when shrinking.
    """
    scale = (1 - sum(cut)) * length / parts
    centres = cut[0] * length + (np.arange(parts) + 0.5) * scale
    places = (np.arange(length) + 0.5 - centres[:, None]) / max(scale, 1.0)
    weights = np.sinc(places) * np.sinc(places / _LOBES) * (np.abs(places) < _LOBES)
    weights /= weights.sum(axis=1, keepdims=True)
    return np.asarray(weights, dtype=np.float32)

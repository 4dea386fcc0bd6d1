"""Pixels in, pixels out: cut a box out of an image and resize it, standardise a crop, say how sharp it is.

Coordinates are continuous: the pixel in column c covers [c, c + 1), so an image of width w spans [0, w].
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.float32]

_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)
"""Weights of red, green and blue in luma (ITU-R BT.601)."""

_KEPT = 8
"""Ways of resampling one axis that are remembered: those of aligned images are the same for all."""


def square(box: tuple[float, float, float, float], share: float) -> tuple[float, float, float, float]:
    """Return the square around a box's centre whose side is (1 + share) x the box's longer side.

    Boxes are (x, y, width, height) in pixels; the square may reach over the image's border.

    >>> square((10.0, 20.0, 40.0, 50.0), 0.2)
    (0.0, 15.0, 60.0, 60.0)
    """
    x, y, width, height = box
    side = max(width, height) * (1 + share)
    return x + width / 2 - side / 2, y + height / 2 - side / 2, side, side


def resample(image: NDArray[np.uint8], box: tuple[float, float, float, float], size: tuple[int, int]) -> Pixels:
    """Cut `box` (x, y, width, height in pixels, fractions allowed) out of an image and resize it, bilinear.

    image [H, W, C], size (height, width) -> float32 [height, width, C] in the image's units. Half-pixel centres; when
    shrinking, the triangle filter widens with the scale (antialias). Beyond the border the edge pixels are repeated,
    so a face at the border keeps its shape. Raises ValueError for a box without area.

    >>> resample(np.array([[[0], [100]]], dtype=np.uint8), (0, 0, 2, 1), (1, 4))[0, :, 0].tolist()
    [0.0, 25.0, 75.0, 100.0]
    """
    x, y, width, height = box
    if not (width > 0 and height > 0):
        raise ValueError(f"a box of {width} x {height} pixels has no area")
    rows, shares = _taps(y, height, size[0])
    columns, matrix = _columns(x, width, size[1])
    rows, columns = np.clip(rows, 0, image.shape[0] - 1), np.clip(columns, 0, image.shape[1] - 1)
    inside = columns[-1] - columns[0] == len(columns) - 1
    part = image[:, columns[0] : columns[-1] + 1] if inside else image[:, columns]
    tall = part[rows[0]] * shares[0][:, None, None]
    for row, share in zip(rows[1:], shares[1:], strict=True):
        tall += part[row] * share[:, None, None]
    planes = np.ascontiguousarray(tall.transpose(2, 0, 1))  # one product per channel is twice as fast as a strided one
    return np.ascontiguousarray((planes @ matrix).transpose(1, 2, 0))


@lru_cache(maxsize=_KEPT)
def _taps(start: float, length: float, out: int) -> tuple[NDArray[np.intp], Pixels]:
    """For one axis the source pixels of each output pixel, and their weights, of sum 1: [taps, out] both.

    Pixels may lie outside the image.
    """
    scale = length / out
    reach = max(1.0, scale)
    centres = start + (np.arange(out) + 0.5) * scale - 0.5
    places = np.ceil(centres - reach) + np.arange(int(2 * reach) + 1)[:, None]
    weights = np.maximum(0.0, 1.0 - np.abs(places - centres) / reach)
    weights /= weights.sum(axis=0)
    return places.astype(np.intp), weights.astype(np.float32)


@lru_cache(maxsize=_KEPT)
def _columns(start: float, length: float, out: int) -> tuple[NDArray[np.intp], Pixels]:
    """The same as a range of source pixels, [in], and the matrix that weighs them, [in, out]."""
    places, weights = _taps(start, length, out)
    first, last = places.min(), places.max()
    matrix = np.zeros((last - first + 1, places.shape[1]), dtype=np.float32)
    matrix[places - first, np.arange(places.shape[1])] = weights
    return np.arange(first, last + 1), matrix


def prewhiten(crops: Pixels) -> Pixels:
    """Give each crop mean 0 and standard deviation 1, as FaceNet's 2017 models expect.

    float32 [N, H, W, C] -> the same shape: (x - mean) / max(std, 1 / sqrt(H W C)), per crop, so that a crop of one
    colour becomes zeros. Source: davidsandberg/facenet, `prewhiten`.

    >>> prewhiten(np.array([[[[1.0], [3.0]]]], dtype=np.float32)).ravel().tolist()
    [-1.0, 1.0]
    """
    size = np.prod(crops.shape[1:])
    centred: Pixels = crops - crops.mean(axis=(1, 2, 3), dtype=np.float64, keepdims=True).astype(np.float32)
    std = np.sqrt(np.einsum("nhwc,nhwc->n", centred, centred) / size)
    centred /= np.maximum(std, 1.0 / np.sqrt(size)).astype(np.float32)[:, None, None, None]
    return centred


def fixed(crops: Pixels) -> Pixels:
    """Map 0..255 to about -1..1 by (x - 127.5) / 128, as FaceNet's 2018 models expect; any shape.

    >>> fixed(np.array([127.5, 255.5], dtype=np.float32)).tolist()
    [0.0, 1.0]
    """
    return (crops - np.float32(127.5)) / np.float32(128)


def sharpness(crop: Pixels) -> float:
    """Say how sharp a crop is: the variance of the Laplacian of its luma; blurred crops have little.

    float32 [H, W, 3] of 0..255, at least 3 x 3 -> grey levels squared. The 4-neighbour Laplacian of the inner pixels.
    Source: Pech-Pacheco and others, Diatom autofocusing in brightfield microscopy, 2000.

    >>> sharpness(np.full((4, 4, 3), 200, dtype=np.float32))
    0.0
    """
    grey = crop @ _LUMA
    inner = grey[1:-1, 1:-1]
    laplacian = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * inner
    return float(laplacian.astype(np.float64).var())

"""Five points of a face to an aligned crop: the similarity that lays them on a template, and the warp.

Coordinates are continuous, as in `pixels`: the pixel in column c covers [c, c + 1).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from facesieve.faces import pixels
from facesieve.faces.pixels import Pixels

Points = NDArray[np.float64]
Matrix = NDArray[np.float64]
"""float64 [2, 3]: (x, y, 1) -> (x, y)."""

_LEAST_FIT = 0.1
"""Below this share of the points' spread that the fit explains, the points are no face: mirrored or in one place."""


def similarity(points: Points, template: Points) -> Matrix:
    """Return the rotation, scale and shift that lays `points` on `template` with the least squared distance.

    float64 [N, 2] each, N >= 2 -> [2, 3]. Never a reflection. Raises ValueError if all points of either coincide, or
    if they fit so badly (mirrored, for one) that no rotation is better than another. In the plane the solution of
    Umeyama, Least-squares estimation of transformation parameters between two point patterns, 1991, is that of a
    regression in complex numbers.

    >>> similarity(np.array([[0.0, 0], [1, 0]]), np.array([[5.0, 5], [5, 7]])).round(6).tolist()
    [[0.0, -2.0, 5.0], [2.0, 0.0, 5.0]]
    """
    source, target = (places[:, 0] + 1j * places[:, 1] for places in (points, template))
    from_middle, to_middle = source - source.mean(), target - target.mean()
    spread, covered = np.vdot(from_middle, from_middle).real, np.vdot(to_middle, to_middle).real
    product = np.vdot(from_middle, to_middle)
    if not abs(product) > _LEAST_FIT * np.sqrt(spread * covered):
        raise ValueError("the points do not have the template's shape")
    turn = product / spread
    shift = target.mean() - turn * source.mean()
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def roomy(template: Points, share: float) -> Points:
    """Shrink a template about the middle of its crop so that the crop's side is (1 + share) x what it was.

    Template as shares of the crop's side, float64 [N, 2].

    >>> roomy(np.array([[0.5, 0.0]]), 1.0).tolist()
    [[0.5, 0.25]]
    """
    return (template - 0.5) / (1 + share) + 0.5


def pitch(matrix: Matrix) -> float:
    """Return how many pixels of the image one pixel of the crop spans; `matrix` leads from image to crop."""
    return float(1 / np.hypot(matrix[0, 0], matrix[1, 0]))


def warp(image: NDArray[np.uint8], matrix: Matrix, size: tuple[int, int]) -> Pixels:
    """Cut the crop out of an image to which a similarity leads, bilinear.

    image uint8 [H, W, C], matrix [2, 3] from image to crop, size (height, width) -> float32 [height, width, C] in the
    image's units. When shrinking, the part of the image that is needed is first shrunk to the crop's scale by the
    triangle filter of `pixels.resample` (antialias). Beyond the border the edge pixels are repeated.

    >>> warp(np.array([[[0], [100]]], dtype=np.uint8), np.array([[2.0, 0, 0], [0, 2, 0]]), (2, 4))[0, :, 0].tolist()
    [0.0, 25.0, 75.0, 100.0]
    """
    height, width = size
    back = np.linalg.inv(matrix[:, :2])
    across, down = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    places = np.stack([across - matrix[0, 2], down - matrix[1, 2]], axis=-1) @ back.T
    step = pitch(matrix)
    if step <= 1:
        return _sampled(image, places)
    low = places.min(axis=(0, 1)) - 1.5 * step  # without rotation the middles of pixels meet, and nothing is blurred
    columns, rows = (int(count) for count in np.ceil((places.max(axis=(0, 1)) - low) / step + 1.5))
    part = pixels.resample(image, (low[0], low[1], columns * step, rows * step), (rows, columns))
    return _sampled(part, (places - low) / step)


def _sampled(image: NDArray[np.uint8] | Pixels, places: Points) -> Pixels:
    """Bilinear samples at continuous places [..., 2] (x, y)."""
    height, width, channels = image.shape
    last = np.array([width - 1, height - 1])
    inside = np.clip(places - 0.5, 0, last)
    first = np.minimum(inside.astype(np.intp), np.maximum(last - 1, 0))
    right, down = np.moveaxis((inside - first).astype(np.float32), -1, 0)[..., None]
    flat = image.reshape(-1, channels)
    index = first[..., 1] * width + first[..., 0]
    beside, below = min(1, width - 1), width * min(1, height - 1)
    upper = flat[index] * (1 - right) + flat[index + beside] * right
    lower = flat[index + below] * (1 - right) + flat[index + below + beside] * right
    return np.asarray(upper * (1 - down) + lower * down, dtype=np.float32)

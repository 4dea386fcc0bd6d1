"""Registration: the affine map by which one picture lies in another, to a fraction of a pixel.

Coordinates are continuous: the pixel in column c covers [c, c + 1). A map is float64 [2, 3]: (x, y, 1) of the first
picture -> (x, y) of the second.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Grey = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.float64]
Map = npt.NDArray[np.float64]

_COARSEST = 48
"""Pixels of the longer side from which a picture is halved once more."""

_STEPS = 10
"""Most steps on a level."""

_STILL = 0.02
"""The shift of a corner, in pixels, below which a step is the last."""

_LEAST_SHARE = 0.02
"""A map by which less of the first picture lies on usable parts of the second is lost."""

_LEAST_GAIN = 0.05
"""Two pictures of one scene rise and fall together: a smaller factor of brightness means that they do not."""

_LEAST_AGREEMENT = 0.6
"""Correlation of grey levels below which a map is lost: copies reach 0.95, though coarse."""


class Picture(NamedTuple):
    """Grey levels, float32 [H, W], and which pixels say something: neither burnt out nor of a plain border."""

    values: Grey
    usable: Flags


class Sample(NamedTuple):
    """Grey levels of the second picture at the pixels of the first, [H, W], and where both pictures are usable."""

    values: Grey
    usable: Flags


class _Terms(NamedTuple):
    """What does not change from step to step: homogeneous places [3, N], and the terms of the regression [N, 8]."""

    places: Numbers
    terms: Numbers


def registered(first: Picture, second: Picture, start: Map) -> Map | None:
    """Refine a map between two pictures of about one scale, from coarse to fine; None if it is lost on the way.

    Brightness may differ by a factor and a constant. Source: Baker and Matthews, Lucas-Kanade 20 years on, part 3,
    2003: the inverse compositional algorithm with linear appearance variation.
    """
    pairs = [(first, second)]
    while max(first.values.shape) > _COARSEST and min(first.values.shape + second.values.shape) >= _COARSEST // 2:
        first, second = _halved(first), _halved(second)
        pairs.append((first, second))
    there = start
    for depth in reversed(range(len(pairs))):
        refined = _refined(*pairs[depth], _scaled(there, 0.5**depth))
        if refined is None or not _agree(sample(*pairs[depth], refined), pairs[depth][0]):
            return None
        there = _scaled(refined, 2.0**depth)
    return there


def sample(first: Picture, second: Picture, there: Map) -> Sample:
    """Read the second picture, bilinear, where the first one's pixels lie in it."""
    values, usable = _sampled(second, there @ _places(first.values))
    shape = first.values.shape
    return Sample(values.reshape(shape), usable.reshape(shape) & first.usable)


def _refined(first: Picture, second: Picture, start: Map) -> Map | None:
    """Step on one level until the corners stand still."""
    height, width = first.values.shape
    corners = np.array([[0, width, 0, width], [0, 0, height, height], [1, 1, 1, 1]], np.float64)
    places, terms = _terms(first)
    there = start
    for _ in range(_STEPS):
        values, usable = _sampled(second, there @ places)
        usable &= first.usable.ravel()
        moved = _stepped(there, terms[usable], values[usable], (width, height)) if _enough(usable) else None
        if moved is None:
            return None
        shift = np.abs((moved - there) @ corners).max()
        if not shift < max(second.values.shape):
            return None
        there = moved
        if shift < _STILL:
            break
    return there


def _agree(seen: Sample, first: Picture) -> bool:
    if not _enough(seen.usable):
        return False
    base, other = (values[seen.usable].astype(np.float64) for values in (first.values, seen.values))
    base, other = base - base.mean(), other - other.mean()
    return bool(base @ other >= _LEAST_AGREEMENT * np.sqrt((base @ base) * (other @ other)))


def _stepped(there: Map, terms: Numbers, values: Grey, size: tuple[int, int]) -> Map | None:
    """One step: the first picture, moved a little and brightened, is fitted to what was read of the second."""
    try:
        weights = np.linalg.solve(terms.T @ terms, terms.T @ values.astype(np.float64))
    except np.linalg.LinAlgError:
        return None
    gain = weights[6]
    if not gain > _LEAST_GAIN:
        return None
    move = np.eye(3)
    move[:2] += weights[:6].reshape(2, 3) / gain / (*size, 1)
    if not np.linalg.det(move[:2, :2]) > 0:
        return None
    return np.asarray((np.vstack([there, (0, 0, 1)]) @ np.linalg.inv(move))[:2])


def _terms(first: Picture) -> _Terms:
    height, width = first.values.shape
    places = _places(first.values)
    down, across = np.gradient(first.values.astype(np.float64))
    unit = places / np.array([[width], [height], [1]])
    parts = [gradient.ravel() * part for gradient in (across, down) for part in unit]
    return _Terms(places, np.stack([*parts, first.values.ravel(), np.ones(first.values.size)], axis=1))


def _places(values: Grey) -> Numbers:
    y, x = np.mgrid[: values.shape[0], : values.shape[1]] + 0.5
    return np.stack([x.ravel(), y.ravel(), np.ones(values.size)])


def _sampled(picture: Picture, places: Numbers) -> tuple[Grey, Flags]:
    """Bilinear samples at places [2, N], and whether all that they are made of lies inside and is usable."""
    height, width = picture.values.shape
    x, y = places - 0.5
    inside = (x >= 0) & (y >= 0) & (x <= width - 1) & (y <= height - 1)
    column, row = np.clip(x, 0, width - 1), np.clip(y, 0, height - 1)
    left, top = (np.minimum(place.astype(np.intp), side - 2) for place, side in ((column, width), (row, height)))
    right, low = (column - left).astype(np.float32), (row - top).astype(np.float32)
    index, flat, usable = top * width + left, picture.values.ravel(), picture.usable.ravel()
    upper = flat[index] * (1 - right) + flat[index + 1] * right
    lower = flat[index + width] * (1 - right) + flat[index + width + 1] * right
    clear = usable[index] & usable[index + 1] & usable[index + width] & usable[index + width + 1]
    return upper * (1 - low) + lower * low, inside & clear


def _halved(picture: Picture) -> Picture:
    height, width = (side // 2 for side in picture.values.shape)
    values, usable = (
        layer[: 2 * height, : 2 * width].reshape(height, 2, width, 2) for layer in (picture.values, picture.usable)
    )
    return Picture(values.mean(axis=(1, 3)), np.asarray(usable.all(axis=(1, 3))))


def _scaled(there: Map, factor: float) -> Map:
    return np.asarray(there * np.array([1.0, 1.0, factor]))


def _enough(usable: Flags) -> bool:
    return bool(usable.mean() >= _LEAST_SHARE)

"""Whether two pictures are one photograph: laid on each other to a fraction of a pixel, do they agree everywhere?

A copy is a photograph encoded anew, resized, cut, mirrored, turned by quarters, made brighter or darker, put in a
frame, or marked. What is left of a copy is the same light in the same places. Two frames of a film or of a burst are
alike too, but the camera or the person has moved: the frame shows other things at its edge, or parts of the picture
have shifted against others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from facesieve.decide.kernels.registration import Flags, Grey, Map, Numbers, Picture, Sample, registered, sample
from facesieve.faces import pixels

Small = npt.NDArray[np.uint8]
Box = tuple[float, float, float, float]

_BURNT, _BLACK = 250, 5
_PLAIN = 12
"""Grey levels by which a row of a plain border differs from its median; the middle 90 % of the row count."""

_SMOOTH = 0.9
"""A picture is shrunk to the scale of the coarser one if it is finer than this."""

_BLOCKS = 10
"""Blocks along the longer side, in each of which the shift that is left is measured."""

_TEXTURE = 9.0
"""Least mean square of the gradient along any direction, in grey levels, from which a block tells its shift."""

_FULL = 0.6
"""Share of a block's pixels that must be usable."""

_FEW = 3
"""Blocks below which nothing is said of them."""

_LUMA, _GRADIENT, _FACE = 0.93, 0.5, 0.9
_SHIFT, _FACE_SHIFT, _BEYOND = 0.35, 0.17, 0.15
"""Limits of a copy: least correlations, most pixels. Measured by `tests/bench/copies.py`: a face that has moved by
2 of 250 pixels is off by 0.27 and more, frames of a hand-held film reach 0.18 and more beyond each other."""

_ALIKE = 0.8
"""Correlation of grey levels from which pictures that are no copies are alike."""

_CONSTANT, _WEIGHT = 2.2, 1.9
"""Of the logistic curve over the slack: 0.90 at the limits, 0.98 at no difference. Fitted on the pairs of one half of
the people, looked at on the other half (`tests/bench/copy_confidence.py`). No pair that was shown was wrong: the curve
stays below 1 because the pairs were a few hundred."""


class Likeness(NamedTuple):
    """How two pictures agree, once laid on each other. Lengths are in pixels of the coarser picture.

    luma: correlation of grey levels. gradient, face: of gradients, everywhere and inside the face. shift, face_shift:
    by which blocks are still off; the upper quartile of all, the median of those in the face, if any lies there.
    beyond: by which the frame of either reaches beyond the other's; the smaller of the two.
    """

    luma: float
    gradient: float
    face: float
    shift: float
    face_shift: float
    beyond: float


class View(NamedTuple):
    """A small grey picture, uint8 [h, w], and the size (width, height) of the full image in whose pixels places are."""

    small: Small
    size: tuple[int, int]


def likeness(first: View, second: View, starts: Sequence[Map], face: Box) -> Likeness | None:
    """Lay pictures on each other and say how they agree, by the first of several starting maps that leads to a copy.

    starts: from pixels of the first full image to those of the second. face: the box in the first. Where no map leads
    to a copy, it is the best agreement inside the face; None if no map leads anywhere.

    >>> grey = View(np.zeros((9, 9), np.uint8), (9, 9))
    >>> likeness(grey, grey, [np.eye(3)[:2]], (2, 2, 5, 5)) is None
    True
    """
    best: Likeness | None = None
    for start in starts:
        agreement = _agreement(first, second, start, face)
        if agreement is not None and (best is None or agreement.face > best.face):
            best = agreement
        if best is not None and shows_copy(best):
            break
    return best


def shows_copy(agreement: Likeness) -> bool:
    """Whether pictures that agree so are one photograph."""
    correlated = agreement.luma >= _LUMA and agreement.gradient >= _GRADIENT and agreement.face >= _FACE
    still = agreement.shift <= _SHIFT and agreement.face_shift <= _FACE_SHIFT
    return correlated and still and agreement.beyond <= _BEYOND


def is_alike(agreement: Likeness) -> bool:
    """Whether pictures that agree so are of one sitting, film or burst, at least."""
    return agreement.luma >= _ALIKE


def slack(agreement: Likeness) -> float:
    """How far the agreement is within the limits of a copy, as a share of the room there is; below 0 it is beyond one.

    >>> slack(Likeness(1.0, 1.0, 0.95, 0.0, 0.0, 0.0)).__round__(6)
    0.5
    """
    correlations = (agreement.luma, _LUMA), (agreement.gradient, _GRADIENT), (agreement.face, _FACE)
    lengths = (agreement.shift, _SHIFT), (agreement.face_shift, _FACE_SHIFT), (agreement.beyond, _BEYOND)
    room = [(value - least) / (1 - least) for value, least in correlations]
    return float(min(*room, *((most - length) / most for length, most in lengths)))


def probability(agreement: Likeness) -> float:
    """The probability that pictures which agree so are one photograph, by how far they are within the limits."""
    return float(1 / (1 + np.exp(-(_CONSTANT + _WEIGHT * slack(agreement)))))


def _agreement(first: View, second: View, start: Map, face: Box) -> Likeness | None:
    there = np.diag(_scale(second)) @ start @ np.diag([*(1 / _scale(first)), 1])
    ratio = float(np.sqrt(abs(np.linalg.det(there[:, :2]))))
    base, by_one = _shrunk(first.small, ratio)
    other, by_other = _shrunk(second.small, 1 / ratio)
    laid = registered(base, other, np.diag(by_other) @ there @ np.diag([*(1 / by_one), 1]))
    if laid is None:
        return None
    seen = sample(base, other, laid)
    box = _inside(base.values.shape, np.array(face) * np.tile(_scale(first) * by_one, 2))
    return _measured(base, seen, box, _beyond(laid, base.values, other.values))


def _scale(view: View) -> Numbers:
    height, width = view.small.shape
    return np.asarray(np.array([width, height]) / np.array(view.size))


def _shrunk(small: Small, ratio: float) -> tuple[Picture, Numbers]:
    """A picture at `ratio` of its size, at most its own, and the scales (x, y) that this really is."""
    height, width = small.shape
    if ratio > _SMOOTH:
        return Picture(small.astype(np.float32), usable(small)), np.ones(2)
    size = max(8, round(height * ratio)), max(8, round(width * ratio))
    values = pixels.resample(small[:, :, None], (0, 0, width, height), size)[:, :, 0]
    return Picture(values, usable(np.rint(values).astype(np.uint8))), np.array([size[1] / width, size[0] / height])


def usable(small: Small) -> Flags:
    """Say which pixels are neither burnt out nor black, nor in a plain border: uint8 [h, w] -> bool [h, w]."""
    rows, columns = _plain(small), _plain(small.T)
    return (small > _BLACK) & (small < _BURNT) & ~rows[:, None] & ~columns[None]


def _plain(rows: Small) -> Flags:
    """Flag the first and last rows, up to the first that is not of one grey, and one row more."""
    low, middle, high = np.quantile(rows, (0.05, 0.5, 0.95), axis=1)
    lively = np.flatnonzero(np.maximum(high - middle, middle - low) > _PLAIN)
    plain = np.ones(len(rows), np.bool_)
    if len(lively):
        first, last = lively[0], lively[-1]
        plain[first + (first > 0) : last + 1 - (last < len(rows) - 1)] = False
    return plain


def _inside(shape: tuple[int, ...], box: Numbers) -> Flags:
    x, y, width, height = box
    rows, columns = np.arange(shape[0]) + 0.5, np.arange(shape[1]) + 0.5
    return np.asarray(((rows > y) & (rows < y + height))[:, None] & ((columns > x) & (columns < x + width))[None])


def _measured(base: Picture, seen: Sample, box: Flags, beyond: float) -> Likeness | None:
    (across, down), (seen_across, seen_down) = _gradients(base.values), _gradients(seen.values)
    clear = _eroded(seen.usable)
    if not (clear & box).any():
        return None
    one_way, other_way = np.asarray(across + 1j * down), np.asarray(seen_across + 1j * seen_down)
    shifts, in_face = _shifts(base, seen, (across, down), clear, box)
    if len(shifts) < _FEW:
        return None
    face = shifts[in_face] if in_face.any() else shifts
    return Likeness(
        float(np.corrcoef(base.values[clear], seen.values[clear])[0, 1]),
        _correlation(one_way[clear], other_way[clear]),
        _correlation(one_way[clear & box], other_way[clear & box]),
        float(np.quantile(shifts, 0.75)),
        float(np.median(face)),
        beyond,
    )


def _gradients(values: Grey) -> tuple[Numbers, Numbers]:
    """Across and down."""
    down, across = np.gradient(values.astype(np.float64))
    return np.asarray(across), np.asarray(down)


def _correlation(base: npt.NDArray[np.complex128], other: npt.NDArray[np.complex128]) -> float:
    scale = np.sqrt(np.vdot(base, base).real * np.vdot(other, other).real)
    return float(np.vdot(base, other).real / scale) if scale > 0 else 0.0


def _eroded(flags: Flags) -> Flags:
    """Take away the pixels beside those that are not flagged, whose gradients are not known, and the border."""
    inner = np.zeros_like(flags)
    inner[1:-1, 1:-1] = flags[1:-1, 1:-1] & flags[:-2, 1:-1] & flags[2:, 1:-1] & flags[1:-1, :-2] & flags[1:-1, 2:]
    return inner


def _shifts(
    base: Picture, seen: Sample, gradient: tuple[Numbers, Numbers], clear: Flags, box: Flags
) -> tuple[Numbers, Flags]:
    """By how many pixels each block that can tell is off, and which of them lie in the face."""
    side = max(8, round(max(base.values.shape) / _BLOCKS))
    rows, columns = (length // side for length in base.values.shape)

    def sums(layer: Numbers | Flags) -> Numbers:
        cut = np.where(clear, layer, 0.0)[: rows * side, : columns * side]
        return np.asarray(cut.reshape(rows, side, columns, side).sum(axis=(1, 3)))

    x, y = gradient
    gain, offset = np.polyfit(base.values[clear].astype(np.float64), seen.values[clear], 1)
    left = (seen.values - gain * base.values - offset) / (gain or 1.0)
    count = np.maximum(sums(clear), 1)
    of_x, of_y, of_left = sums(x) / count, sums(y) / count, sums(left) / count
    xx, xy, yy = sums(x * x) - count * of_x**2, sums(x * y) - count * of_x * of_y, sums(y * y) - count * of_y**2
    xl, yl = sums(x * left) - count * of_x * of_left, sums(y * left) - count * of_y * of_left
    least = (xx + yy) / 2 - np.hypot((xx - yy) / 2, xy)
    telling = (count > _FULL * side**2) & (least > _TEXTURE * count)
    determinant = np.where(telling, xx * yy - xy**2, 1.0)
    shifts = np.hypot(yy * xl - xy * yl, xx * yl - xy * xl) / determinant
    return shifts[telling], (sums(box) > count / 2)[telling]


def _beyond(there: Map, first: Grey, second: Grey) -> float:
    """By how many pixels the frame of the first reaches beyond that of the second, and vice versa: the smaller."""
    height, width = first.shape
    middles = there @ np.array([[0, width, width / 2, width / 2], [height / 2, height / 2, 0, height], [1, 1, 1, 1]])
    low, high, end = middles.min(axis=1), middles.max(axis=1), np.array(second.shape[::-1])
    return float(max(0.0, min(max(*-low, *(high - end)), max(*low, *(end - high)))))

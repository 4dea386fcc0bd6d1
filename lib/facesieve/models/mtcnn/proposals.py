"""MTCNN's first stage: windows of all sizes that may hold a face, with bounded memory.

The package `mtcnn` compares all windows with all at once. A crowd makes tens of thousands of windows, and their square
in one array has killed workers. Here overlaps are computed block by block and only the surest windows are kept. Up to
the bounds the result is the package's, up to rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Windows = npt.NDArray[np.float64]
Pictures = Sequence[npt.NDArray[np.uint8]]
Propose = Callable[[Any, Any], tuple[Any, Any, Any]]
"""uint8 [N, H, W, 3], int32 [2] (height, width to search at) -> of every window that may hold a face: picture, row,
column (int64 [M, 3], ascending), offsets of its corners (float32 [M, 4]) and confidence (float32 [M])."""

WINDOW = 12
"""Side in pixels of the window that the first network slides: an image below it holds no face."""

THRESHOLD = 0.6
"""Confidence above which the first network proposes a window: the package's default."""

_STRIDE = 2
_OVERLAP_IN_SCALE = 0.5
_OVERLAP_ACROSS = 0.7
_SCALE_FACTOR = 0.709
_MOST_IN_SCALE = 5_000
_MOST = 1_000
_BLOCK = 256


def survivors(windows: Windows, overlap: float, *, of_smaller: bool = False) -> Windows:
    """Drop every window that overlaps a surer one by more than `overlap`: the intersection over the union.

    float64 [N, 5 or more]: x1, y1, x2, y2, confidence, surest first -> [M, ...] in the same order. `of_smaller`: the
    intersection over the smaller area instead. Unlike the textbook's suppression a window that is dropped itself still
    drops others, as in the package. Memory grows with N, not N^2.

    >>> survivors(np.array([[0, 0, 9, 9, 0.9], [0, 0, 9, 8, 0.8], [0, 20, 9, 29, 0.7]]), 0.5)[:, 4].tolist()
    [0.9, 0.7]
    """
    survives = np.ones(len(windows), dtype=bool)
    for start in range(0, len(windows), _BLOCK):
        stop = min(start + _BLOCK, len(windows))
        shared = _overlaps(windows[start:stop], windows[:stop], of_smaller) > overlap
        survives[start:stop] = ~np.tril(shared, start - 1).any(axis=1)
    return windows[survives]


def _overlaps(left: Windows, right: Windows, of_smaller: bool) -> Windows:
    a, b = left[:, :4].T[:, :, None], right[:, :4].T[:, None, :]
    width = np.maximum(0, np.minimum(a[2], b[2]) - np.maximum(a[0], b[0]))
    height = np.maximum(0, np.minimum(a[3], b[3]) - np.maximum(a[1], b[1]))
    shared = width * height
    area_a, area_b = (a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1])
    whole = np.minimum(area_a, area_b) if of_smaller else area_a + area_b - shared
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(shared / whole)


def surest_first(windows: Windows) -> Windows:
    """Sort windows (x1, y1, x2, y2, confidence, ...) by confidence, as the package does, ties included."""
    return windows[np.argsort(windows[:, 4])[::-1]]


def squares(windows: Windows) -> Windows:
    """Widen each window (x1, y1, x2, y2, ...) about its centre to a square with its longer side."""
    sides = windows[:, 2:4] - windows[:, :2]
    longer = sides.max(axis=1, keepdims=True)
    corner = windows[:, :2] + sides * 0.5 - longer * 0.5
    return np.hstack([corner, corner + longer, windows[:, 4:]])


def proposals(
    pictures: Pictures, smallest: int, propose: Propose, stack: Callable[[Pictures], Any] = np.stack
) -> list[Windows]:
    """Return for each picture its windows: float64 [M, 5], x1, y1, x2, y2, confidence; squares, surest first.

    pictures: uint8 [H, W, 3] each, of any sizes; those of equal size are searched together, as `stack` makes one of
    them. `smallest`: side in pixels from which faces are looked for.
    """
    by_picture: list[list[Windows]] = [[np.empty((0, 5))] for _ in pictures]
    shapes = [picture.shape[:2] for picture in pictures]
    for height, width in sorted(set(shapes)):
        members = [index for index, shape in enumerate(shapes) if shape == (height, width)]
        stacked = stack([pictures[index] for index in members])
        for scale in _scales(height, width, smallest):
            size = np.array([int(height * scale), int(width * scale)], dtype=np.int32)
            for index, windows in zip(members, _at(stacked, size, scale, propose), strict=True):
                by_picture[index].append(windows)
    return [_across(np.concatenate(windows)) for windows in by_picture]


def _scales(height: int, width: int, smallest: int) -> list[float]:
    """The package's pyramid: from faces of `smallest` pixels up to about the image's shorter side."""
    count = round(-(np.log(min(height, width) / WINDOW) / np.log(_SCALE_FACTOR) + 1))
    scales = WINDOW / smallest * _SCALE_FACTOR ** np.arange(count)
    return [float(scale) for scale in scales if int(min(height, width) * scale) >= WINDOW]


def _at(stacked: Any, size: npt.NDArray[np.int32], scale: float, propose: Propose) -> list[Windows]:
    """The windows of one scale, for each of the stacked pictures, in pixels of the picture."""
    places, offsets, scores = (np.asarray(part) for part in propose(stacked, size))
    corner = places[:, [2, 1]] * float(_STRIDE) + 1  # the package's: cells begin at 1 and end at 12
    corners = np.hstack([corner, corner + (WINDOW - 1)]) + offsets.astype(np.float64) * (WINDOW - 1)
    windows = np.column_stack([corners / scale, scores])
    ends = np.searchsorted(places[:, 0], np.arange(1, len(stacked)))
    return [survivors(surest_first(own)[:_MOST_IN_SCALE], _OVERLAP_IN_SCALE) for own in np.split(windows, ends)]


def _across(windows: Windows) -> Windows:
    ranked = surest_first(windows)[: 2 * _MOST_IN_SCALE]
    return squares(survivors(ranked, _OVERLAP_ACROSS)[:_MOST])

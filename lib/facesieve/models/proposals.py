"""MTCNN's first stage with bounded memory: the package's own compares all windows with all at once.

A crowd makes tens of thousands of windows, and their square in one array has killed workers. Here overlaps are computed
block by block and only the surest windows are kept. Up to the bounds the result is the package's, to the bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Windows = npt.NDArray[np.float64]

_THRESHOLD = 0.6
_OVERLAP_IN_SCALE = 0.5
_OVERLAP_ACROSS = 0.7
_SCALE_FACTOR = 0.709
_MOST_IN_SCALE = 5_000
_MOST = 1_000
_BLOCK = 256


def survivors(windows: Windows, overlap: float) -> Windows:
    """Drop every window that overlaps a surer one by more than `overlap` (intersection over union).

    float64 [N, 6]: image, x1, y1, x2, y2, confidence, surest first -> [M, 6] in the same order. Unlike the textbook's
    suppression a window that is dropped itself still drops others, as in the package. Memory grows with N, not N^2.

    >>> survivors(np.array([[0, 0, 0, 9, 9, 0.9], [0, 0, 0, 9, 8, 0.8], [0, 20, 0, 29, 9, 0.7]]), 0.5)[:, 5].tolist()
    [0.9, 0.7]
    """
    kept = np.ones(len(windows), dtype=bool)
    for start in range(0, len(windows), _BLOCK):
        stop = min(start + _BLOCK, len(windows))
        shared = _overlaps(windows[start:stop], windows[:stop]) > overlap
        kept[start:stop] = ~np.tril(shared, start - 1).any(axis=1)
    return windows[kept]


def _overlaps(left: Windows, right: Windows) -> Windows:
    top_left = np.maximum(left[:, None, 1:3], right[None, :, 1:3])
    bottom_right = np.minimum(left[:, None, 3:5], right[None, :, 3:5])
    shared = np.prod(np.maximum(0, bottom_right - top_left), axis=2)
    area_left, area_right = (np.prod(boxes[:, 3:5] - boxes[:, 1:3], axis=1) for boxes in (left, right))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(shared / (area_left[:, None] + area_right[None, :] - shared))


@dataclass(frozen=True)
class Proposals:
    """A stage for `mtcnn.MTCNN(stages=[...])`: windows that may hold a face, for one image at a time."""

    model: Any

    def __call__(self, images_normalized: Any, images_oshapes: Any, min_face_size: int, **_: Any) -> Windows:
        """Return windows as float64 [N, 6]: image, x1, y1, x2, y2, confidence; squares, surest first."""
        from mtcnn.utils import bboxes, images  # noqa: PLC0415 (imports TensorFlow)

        height, width = images_oshapes[0][:2]
        scales = images.build_scale_pyramid(width, height, min_face_size=min_face_size, scale_factor=_SCALE_FACTOR)
        found = [np.empty((0, 6))]
        for scale in scales:
            offsets, scores = self.model(images.scale_images(images_normalized, scale))
            windows = bboxes.generate_bounding_box(offsets, scores, _THRESHOLD)[:_MOST_IN_SCALE]
            found.append(survivors(bboxes.upscale_bboxes(windows, np.array([scale])), _OVERLAP_IN_SCALE))
        every = np.concatenate(found)
        ranked = bboxes.sort_by_scores(every, scores=every[:, 5], ascending=False)[: 2 * _MOST_IN_SCALE]
        return np.asarray(bboxes.resize_to_square(survivors(ranked, _OVERLAP_ACROSS)[:_MOST]))

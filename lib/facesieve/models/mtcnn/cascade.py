"""MTCNN's three networks over the pictures of a batch, each window looked at ever more closely.

The weights are the package's; what is around them is not, since calling Keras layer by layer at each of some ten scales
took two thirds of its time.
Source: Zhang and others, Joint face detection and alignment using multitask cascaded convolutional networks, 2016.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from facesieve.models.mtcnn.networks import JUDGED_SIDE, REFINED_SIDE, Networks
from facesieve.models.mtcnn.proposals import Pictures, Windows, proposals, squares, surest_first, survivors

_SURE_ENOUGH = 0.7
"""Confidence above which the second network passes a window on: the package's default."""

_OVERLAP = 0.7
_OUTPUTS = {REFINED_SIDE: (4, 2), JUDGED_SIDE: (4, 10, 2)}
"""Numbers per window that the networks return: offsets of the corners, five points, no face and face."""

_PATCHES = 512
"""Windows per call of the second and third network: bounds memory, whatever the pictures hold."""


def windows_of(pictures: Pictures, smallest: int, confidence: float, networks: Networks) -> list[Windows]:
    """Find the faces of pictures (uint8 [H, W, 3] each, of any sizes): one array per picture, surest face first.

    -> float64 [M, 15]: x1, y1, x2, y2, confidence (above `confidence`), x and then y of five points. As the package
    finds them in each picture alone, up to rounding.
    """
    proposed = proposals(pictures, smallest, networks.propose, networks.stack)
    offsets, scores = _asked(pictures, proposed, networks, REFINED_SIDE)
    refined = [_refined(*parts) for parts in zip(proposed, offsets, scores, strict=True)]
    offsets, points, scores = _asked(pictures, refined, networks, JUDGED_SIDE)
    judged = zip(refined, offsets, points, scores, strict=True)
    return [_judged(*parts, confidence) for parts in judged]


def _refined(windows: Windows, offsets: Windows, scores: Windows) -> Windows:
    moved = _moved(windows, offsets, scores)
    sure = surest_first(moved[moved[:, 4] > _SURE_ENOUGH])
    return squares(survivors(sure, _OVERLAP))


def _judged(windows: Windows, offsets: Windows, points: Windows, scores: Windows, confidence: float) -> Windows:
    moved = np.hstack([_moved(windows, offsets, scores), _points(windows, points)])
    sure = surest_first(moved[moved[:, 4] > confidence])
    return survivors(sure, _OVERLAP, of_smaller=True)


def _moved(windows: Windows, offsets: Windows, scores: Windows) -> Windows:
    """Windows with the corners and the confidence that a network gives them; a side is counted in whole pixels."""
    sides = windows[:, 2:4] - windows[:, :2] + 1
    return np.column_stack([windows[:, :4] + offsets * np.tile(sides, 2), scores[:, 1]])


def _points(windows: Windows, points: Windows) -> Windows:
    """Five points as shares of their window, x and then y: in pixels, one less as in the package."""
    sides = windows[:, 2:4] - windows[:, :2] + 1
    return np.repeat(sides, 5, axis=1) * points + np.repeat(windows[:, :2], 5, axis=1) - 1


def _asked(pictures: Pictures, windows: list[Windows], networks: Networks, side: int) -> list[list[Windows]]:
    """What the second or third network says of the windows: for each of its outputs, one array per picture."""
    network = networks.refine if side == REFINED_SIDE else networks.judge
    ends = np.cumsum([len(own) for own in windows])[:-1]
    answers = [tuple(np.empty((0, width)) for width in _OUTPUTS[side])]  # TensorFlow fails over no windows
    answers += [
        tuple(np.asarray(part) for part in network(patches)) for patches in _patches(pictures, windows, networks, side)
    ]
    outputs = [np.concatenate(parts, dtype=np.float64) for parts in zip(*answers, strict=True)]
    return [np.split(output, ends) for output in outputs]


def _patches(pictures: Pictures, windows: list[Windows], networks: Networks, side: int) -> Iterator[Any]:
    """The windows' contents, float32 [n, side, side, 3], in chunks of at most `_PATCHES` across pictures."""
    waiting: list[npt.NDArray[np.float32]] = []
    for picture, own in zip(pictures, windows, strict=True):
        height, width = picture.shape[:2]
        boxes = (own[:, [1, 0, 3, 2]] / (height, width, height, width)).astype(np.float32)
        start = 0
        while start < len(boxes):
            stop = start + _PATCHES - sum(map(len, waiting))
            waiting.append(np.asarray(networks.cut(picture, boxes[start:stop], side)))
            start = stop
            if sum(map(len, waiting)) == _PATCHES:
                yield np.concatenate(waiting)
                waiting = []
    if waiting:
        yield np.concatenate(waiting)

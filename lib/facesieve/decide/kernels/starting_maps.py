"""Maps to begin with, from the pixels of one image to those of another that may be its copy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from facesieve.decide.kernels.registration import Map

Points = npt.NDArray[np.float64]
Box = tuple[float, float, float, float]

_MIRRORED = (1, 0, 2, 4, 3)
"""Whose place the left eye, right eye, nose, left and right corner of the mouth take in a mirror image."""

_IN_BOX = ((0.3, 0.35), (0.7, 0.35), (0.5, 0.55), (0.35, 0.75), (0.65, 0.75))
"""About where the five points lie in the box of a face, for want of the points."""


def face_points(landmarks: Sequence[float] | None, box: Box) -> Points:
    """Five points (x, y) of a face: the landmarks, or points of the box where no landmarks are known; [5, 2]."""
    if landmarks is not None:
        return np.reshape(np.asarray(landmarks, np.float64), (5, 2))
    x, y, width, height = box
    return np.array(_IN_BOX) * (width, height) + (x, y)


def by_points(points: Points, others: Points, *, mirrored: bool) -> Map:
    """Lay five points of a face on five others by a quarter turn, one scale and a shift, and mirrored if asked.

    >>> eyes = face_points(None, (0, 0, 10, 10))
    >>> by_points(eyes, eyes * 2 + 1, mirrored=False).round(6).tolist()
    [[2.0, 0.0, 1.0], [0.0, 2.0, 1.0]]
    """
    others = others[list(_MIRRORED)] if mirrored else others
    flip = np.array([-1.0 if mirrored else 1.0, 1.0])
    middle, other_middle = points.mean(axis=0), others.mean(axis=0)
    base, other = (points - middle) * flip, others - other_middle
    turn = round(float(np.angle(np.vdot(base @ (1, 1j), other @ (1, 1j)))) / (np.pi / 2)) % 4
    scale = float(np.sqrt((other**2).sum() / max((base**2).sum(), 1e-9)))
    cosine, sine = ((1, 0), (0, 1), (-1, 0), (0, -1))[turn]
    linear = scale * np.array([[cosine, -sine], [sine, cosine]]) * flip
    return np.column_stack([linear, other_middle - linear @ middle])


def by_frames(size: tuple[int, int], other: tuple[int, int], *, mirrored: bool, turn: int = 0) -> Map:
    """Lay the frame (width, height) of one image on that of another, mirrored if asked, then turned by quarters.

    turn: quarter turns, counter-clockwise, by which the first image becomes the other.

    >>> by_frames((10, 10), (20, 5), mirrored=True).tolist()
    [[-2.0, 0.0, 20.0], [0.0, 0.5, 0.0]]
    """
    width, height = size
    unit = np.array(
        [[-1 / width if mirrored else 1 / width, 0.0, float(mirrored)], [0.0, 1 / height, 0.0], [0.0, 0.0, 1.0]]
    )
    quarter = np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
    turned = np.linalg.matrix_power(quarter, turn) @ unit
    return np.asarray(turned[:2] * np.array(other, np.float64)[:, None])

"""Which faces of a picture are taken, and their crops at the model's size: what `search` finds, cut by the profile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import numpy.typing as npt

from facesieve.core.profiles import Margin, Profile
from facesieve.core.reasons import Reason
from facesieve.core.sections import Embed
from facesieve.embed.kernels import landmarks
from facesieve.embed.picture import Picture, Unusable
from facesieve.embed.search import Search, searches
from facesieve.faces import pixels
from facesieve.models import Detection

Box = tuple[float, float, float, float]

_OVERHANG = 1.0
"""So many pixels less than this may a fixed crop leave the image: what is rounded, and repeats one edge at most."""

_ARCFACE = ((38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041))
_ARCFACE_SIDE = 112
"""Where five points belong in a crop of 112 x 112 pixels, counted from the middle of the first pixel. Source: Deng and
others, ArcFace, 2019; the numbers are those of insightface's `face_align`."""

_SIDE, _ROOM = 64, 0.1
"""Of the crop that is hashed: its side in pixels, and the room around ArcFace's crop as a share of its side."""


@dataclass(frozen=True)
class Face:
    """A face in a picture: its box and what is cut for the model, (x, y, width, height) in pixels, and what is known.

    Both may reach over the border: the edge is repeated there. `turn`: quarter turns, counter-clockwise, that bring
    the face upright. `template`: ten shares of the crop's side on which the landmarks are laid, instead of the cut.
    `passed_over`: how many faces of the picture were too small or too unsure. `left_out`: how many others were not
    taken because of `embed.faces`.
    """

    box: Box
    cut: Box
    landmarks: tuple[float, ...] | None = None
    confidence: float | None = None
    turn: int = 0
    template: tuple[float, ...] | None = None
    passed_over: int = 0
    left_out: int = 0


def faces(pictures: Sequence[Picture], profile: Profile, embed: Embed) -> list[list[Face] | Unusable]:
    """Return for each picture its faces, the largest first, or the reason (no_face) why there is none.

    All coordinates are in pixels of the full upright image.
    """
    if embed.detector == "aligned":
        return [_aligned(picture, profile) for picture in pictures]
    margin = profile.margin or Margin()
    return [
        _chosen(picture, search, margin, embed)
        for picture, search in zip(pictures, searches(pictures, embed), strict=True)
    ]


def again(box: Box, points: tuple[float, ...] | None, picture: Picture, margin: Margin | None) -> Face:
    """Return the face of a row of `embeddings`, as it was cut; without points the box itself was.

    How the picture was turned is in no row: the points tell where the mouth is, seen from the eyes.
    """
    if points is None:
        return Face(box, box)
    face = crop_of(Detection(box, points, 1.0), picture, margin or Margin())
    return replace(face, turn=_turn(np.reshape(points, (5, 2))))


def cut(picture: Picture, face: Face, size: tuple[int, int]) -> npt.NDArray[np.float32]:
    """Make the crop that the model gets, upright: -> float32 [height, width, 3] of 0..255, size (height, width)."""
    matrix = _similarity(face, size, picture.scale)
    if matrix is not None:
        return landmarks.warp(picture.pixels, matrix, size)
    x, y, width, height = (length / picture.scale for length in face.cut)
    crop = pixels.resample(picture.pixels, (x, y, width, height), _before_turning(face, size))
    return np.ascontiguousarray(np.rot90(crop, face.turn)) if face.turn else crop


def standard(picture: Picture, face: Face) -> npt.NDArray[np.uint8]:
    """Cut a face alike for every profile, to be hashed: on ArcFace's points with some room, without points its box.

    -> uint8 [_SIDE, _SIDE, 3], upright.
    """
    plain, size = replace(face, cut=pixels.square(face.box, 0.0), template=None), (_SIDE, _SIDE)
    try:
        crop = cut(picture, replace(plain, template=_template(Margin("five_point", share=_ROOM))), size)
    except ValueError:  # points that are no face's
        crop = cut(picture, plain, size)
    return np.rint(crop).clip(0, 255).astype(np.uint8)


def magnified(picture: Picture, face: Face, size: tuple[int, int]) -> bool:
    """Say whether the crop would be enlarged from reduced pixels, so that the full picture must be decoded first."""
    if picture.scale <= 1:
        return False
    matrix = _similarity(face, size, picture.scale)
    if matrix is not None:
        return landmarks.pitch(matrix) < 1
    height, width = _before_turning(face, size)
    return face.cut[2] / picture.scale < width or face.cut[3] / picture.scale < height


def _before_turning(face: Face, size: tuple[int, int]) -> tuple[int, int]:
    """The size that a crop has while the face still lies as it does in the picture."""
    return size if face.turn % 2 == 0 else (size[1], size[0])


def _similarity(face: Face, size: tuple[int, int], scale: float) -> npt.NDArray[np.float64] | None:
    """The way from the picture's pixels to the crop; None where the box is cut."""
    if face.template is None or face.landmarks is None:
        return None
    height, width = size
    points = np.reshape(face.landmarks, (5, 2)) / scale
    return landmarks.similarity(points, _placed(face.template, width, height))


def _placed(template: tuple[float, ...], width: int, height: int) -> npt.NDArray[np.float64]:
    """A template in pixels of the crop: a square as large as fits, in the middle."""
    side = min(width, height)
    return np.reshape(template, (5, 2)) * side + (np.array([width, height]) - side) / 2


def _aligned(picture: Picture, profile: Profile) -> list[Face] | Unusable:
    """The profile's crop, whose box is the crop itself, if it lies in the image; without a crop the whole image."""
    width, height, crop = picture.width, picture.height, profile.crop
    if crop is None:
        whole = (0.0, 0.0, float(width), float(height))
        return [Face(whole, whole)]
    box = crop.box(width, height)
    if not _inside(box, width, height):
        left, top, right, bottom = box[0], box[1], box[0] + box[2], box[1] + box[3]
        place = f"columns {left:g} to {right:g}, rows {top:g} to {bottom:g}"
        return Unusable(Reason.CROP_OUTSIDE, f"the crop ({place}) leaves the image of {width} x {height} pixels")
    return [Face(box, box)]


def _inside(box: Box, width: int, height: int) -> bool:
    """Whether a box lies in an image of width x height pixels, but for less than one pixel."""
    x, y, across, down = box
    return min(x, y, width - x - across, height - y - down) > -_OVERHANG


def _chosen(picture: Picture, search: Search, margin: Margin, embed: Embed) -> list[Face] | Unusable:
    if not search.sure:
        return Unusable(Reason.NO_FACE, search.why_none(embed))
    ranked = sorted(search.sure, key=_rank)
    chosen = ranked[:1] if embed.faces == "largest" else ranked
    cropped = (crop_of(each, picture, margin) for each in chosen)
    left_out = len(ranked) - len(chosen)
    return [replace(face, turn=search.turn, passed_over=search.passed_over, left_out=left_out) for face in cropped]


def crop_of(detection: Detection, picture: Picture, margin: Margin) -> Face:
    """Say what is cut for the model of a face that was detected in an upright picture."""
    sure = (detection.landmarks, detection.confidence)
    if margin.kind == "facenet":
        return Face(detection.box, _widened(detection.box, margin.pixels, picture), *sure)
    face = Face(detection.box, pixels.square(detection.box, margin.room), *sure)
    if margin.kind == "box":
        return face
    template = _template(margin)
    try:
        landmarks.similarity(np.reshape(detection.landmarks, (5, 2)), np.reshape(template, (5, 2)))
    except ValueError:
        return face  # points that are no face's: its box is all that is known
    return replace(face, template=template)


def _turn(points: npt.NDArray[np.float64]) -> int:
    """Quarter turns, counter-clockwise, that bring a face upright: float64 [5, 2], eyes first and mouth last."""
    x, y = points[3:].mean(axis=0) - points[:2].mean(axis=0)
    if abs(y) >= abs(x):
        return 0 if y >= 0 else 2
    return 3 if x > 0 else 1


@cache
def _template(margin: Margin) -> tuple[float, ...]:
    """The profile's template with its room, as ten shares of the crop's side."""
    points = np.reshape(margin.template, (5, 2)) if margin.template else (np.array(_ARCFACE) + 0.5) / _ARCFACE_SIDE
    return tuple(landmarks.roomy(points, margin.room).ravel().tolist())


def _widened(box: Box, margin: float, picture: Picture) -> Box:
    """The box and half of `margin` on each side, cut off at the border. Source: davidsandberg/facenet,
    `align_dataset_mtcnn`."""
    x, y, width, height = box
    left, top = max(0.0, x - margin / 2), max(0.0, y - margin / 2)
    right, bottom = (
        min(float(picture.width), x + width + margin / 2),
        min(float(picture.height), y + height + margin / 2),
    )
    return left, top, right - left, bottom - top


def _rank(detection: Detection) -> tuple[float, ...]:
    """Largest area first, then the surer one, then the one farther left, then farther up."""
    x, y, width, height = detection.box
    return (-width * height, -detection.confidence, x, y)

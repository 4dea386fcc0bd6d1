"""Where the faces of a picture are, and their crops at the model's size.

A picture without a face as certain as `embed.turned_below` is searched again turned by 90, 180 and 270 degrees: upside
down the detector often takes a face for another that is not there, with less certainty. What is found in the turned
picture counts if it is ten times surer. All coordinates are those of the full image before turning.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from facesieve import models
from facesieve.core.profiles import Margin, Profile
from facesieve.core.reasons import Reason
from facesieve.core.sections import Embed
from facesieve.embed.decode import Picture, Unusable
from facesieve.embed.kernels import landmarks
from facesieve.faces import pixels
from facesieve.models import Detection

Box = tuple[float, float, float, float]

_SOUGHT_FACE = 20
"""Side in pixels from which the detector looks for faces unless `embed.min_face` is smaller: the package's default."""

_SOUGHT_CONFIDENCE = 0.8
"""Confidence from which the detector reports faces unless `embed.min_confidence` is lower: the package's default."""

_TURNS = (2, 1, 3)
"""Quarter turns, counter-clockwise, by which a picture without a certain face is searched again."""

_FIRMER = 10
"""So many times smaller must the doubt (1 - confidence) be to believe that a picture is turned. Of 217 upright
photographs none is turned then (at 2, one), and of 651 that are turned 531 are recognised."""

_OVERHANG = 1.0
"""So many pixels less than this may a fixed crop leave the image: what is rounded, and repeats one edge at most."""

_ARCFACE = ((38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041))
_ARCFACE_SIDE = 112
"""Where five points belong in a crop of 112 x 112 pixels, counted from the middle of the first pixel. Source: Deng and
others, ArcFace, 2019; the numbers are those of insightface's `face_align`."""


@dataclass(frozen=True)
class Face:
    """A face in a picture: its box and what is cut for the model, (x, y, width, height) in pixels, and what is known.

    Both may reach over the border: the edge is repeated there. `turn`: quarter turns, counter-clockwise, that bring
    the face upright. `template`: ten shares of the crop's side on which the landmarks are laid, instead of the cut.
    `passed_over`: how many faces of the picture were too small or too unsure.
    """

    box: Box
    cut: Box
    landmarks: tuple[float, ...] | None = None
    confidence: float | None = None
    turn: int = 0
    template: tuple[float, ...] | None = None
    passed_over: int = 0


@dataclass(frozen=True)
class _Search:
    """What was found in one picture turned by `turn`: the faces that count, and how many were passed over and why."""

    turn: int
    sure: tuple[Detection, ...]
    small: int
    unsure: int

    def surest(self) -> float:
        return max((detection.confidence for detection in self.sure), default=0.0)


def faces(pictures: Sequence[Picture], profile: Profile, embed: Embed) -> list[list[Face] | Unusable]:
    """Return for each picture its faces, the largest first, or the reason (no_face) why there is none.

    All coordinates are in pixels of the full upright image.
    """
    if embed.detector == "aligned":
        return [_aligned(picture, profile) for picture in pictures]
    searched = _searched(pictures, embed, 0)
    doubted = [index for index, search in enumerate(searched) if search.surest() < embed.turned_below]
    again = _turned([pictures[index] for index in doubted], embed)
    for index, turned in zip(doubted, again, strict=True):
        if 1 - turned.surest() <= (1 - max(searched[index].surest(), embed.min_confidence)) / _FIRMER:
            searched[index] = turned
    margin = profile.margin or Margin()
    return [_chosen(picture, search, margin, embed) for picture, search in zip(pictures, searched, strict=True)]


def cut(picture: Picture, face: Face, size: tuple[int, int]) -> npt.NDArray[np.float32]:
    """Make the crop that the model gets, upright: -> float32 [height, width, 3] of 0..255, size (height, width)."""
    matrix = _similarity(face, size, picture.scale)
    if matrix is not None:
        return landmarks.warp(picture.pixels, matrix, size)
    x, y, width, height = (length / picture.scale for length in face.cut)
    crop = pixels.resample(picture.pixels, (x, y, width, height), _before_turning(face, size))
    return np.ascontiguousarray(np.rot90(crop, face.turn)) if face.turn else crop


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


def _searched(pictures: Sequence[Picture], embed: Embed, turn: int) -> list[_Search]:
    """Search pictures turned by `turn`; what is found is in pixels of the full picture before turning."""
    smallest, least = min(_SOUGHT_FACE, embed.min_face), min(_SOUGHT_CONFIDENCE, embed.min_confidence)
    turned = [np.ascontiguousarray(np.rot90(picture.pixels, turn)) for picture in pictures]
    detections = models.detect(turned, embed.detector_side, smallest, least)
    searches = []
    for picture, raw in zip(pictures, detections, strict=True):
        every = [_upright(detection, picture, turn) for detection in raw]
        large = [detection for detection in every if min(detection.box[2:]) >= embed.min_face]
        sure = tuple(detection for detection in large if detection.confidence >= embed.min_confidence)
        searches.append(_Search(turn, sure, len(every) - len(large), len(large) - len(sure)))
    return searches


def _turned(pictures: Sequence[Picture], embed: Embed) -> list[_Search]:
    """For each picture the turn whose face is surest."""
    if not pictures:
        return []
    by_turn = [_searched(pictures, embed, turn) for turn in _TURNS]
    return [max(searches, key=_Search.surest) for searches in zip(*by_turn, strict=True)]


def _upright(detection: Detection, picture: Picture, turn: int) -> Detection:
    """Lead a detection in the turned and perhaps reduced pixels back to the full upright image."""
    x, y, width, height = detection.box
    corners = _turned_back(np.array([[x, y], [x + width, y + height]]), picture, turn)
    (left, top), (right, bottom) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    points = _turned_back(np.reshape(detection.landmarks, (5, 2)), picture, turn)
    return replace(detection, box=(left, top, right - left, bottom - top), landmarks=tuple(points.ravel().tolist()))


def _turned_back(points: npt.NDArray[np.float64], picture: Picture, turn: int) -> npt.NDArray[np.float64]:
    """Where points (x, y) of `np.rot90(pixels, turn)` are in the full upright image."""
    height, width = picture.pixels.shape[:2]
    x, y = points[:, 0], points[:, 1]
    back = {0: (x, y), 1: (width - y, x), 2: (width - x, height - y), 3: (y, height - x)}[turn]
    return np.stack(back, axis=1) * picture.scale


def _chosen(picture: Picture, search: _Search, margin: Margin, embed: Embed) -> list[Face] | Unusable:
    if not search.sure:
        return Unusable(Reason.NO_FACE, _ignored(search, embed))
    ranked = sorted(search.sure, key=_rank)
    chosen = ranked[:1] if embed.faces == "largest" else ranked
    passed_over = search.small + search.unsure
    return [replace(_cropped(each, picture, margin), turn=search.turn, passed_over=passed_over) for each in chosen]


def _cropped(detection: Detection, picture: Picture, margin: Margin) -> Face:
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


def _ignored(search: _Search, embed: Embed) -> str:
    passed_over = []
    if search.small:
        passed_over.append(f"{search.small} below embed.min_face ({embed.min_face} pixels)")
    if search.unsure:
        passed_over.append(f"{search.unsure} below embed.min_confidence ({embed.min_confidence:g})")
    return "no face was found" + (": ignored are " + ", ".join(passed_over) if passed_over else "")

"""Where the faces of a picture are, as the detector sees them, and which of them count.

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
from facesieve.core.sections import Embed
from facesieve.embed.decode import Picture
from facesieve.models import Detection

_SOUGHT_FACE = 20
"""Side in pixels from which the detector looks for faces unless `embed.min_face` is smaller: the package's default."""

_SOUGHT_CONFIDENCE = 0.8
"""Confidence from which the detector reports faces unless `embed.min_confidence` is lower: the package's default."""

_TURNS = (2, 1, 3)
"""Quarter turns, counter-clockwise, by which a picture without a certain face is searched again."""

_FIRMER = 10
"""So many times smaller must the doubt (1 - confidence) be to believe that a picture is turned. Of 217 upright
photographs none is turned then (at 2, one), and of 651 that are turned 531 are recognised."""


@dataclass(frozen=True)
class Search:
    """What was found in one picture turned by `turn`: the faces that count, and how many were passed over and why."""

    turn: int
    sure: tuple[Detection, ...]
    small: int
    unsure: int

    @property
    def passed_over(self) -> int:
        """How many faces were too small or too unsure."""
        return self.small + self.unsure

    def surest(self) -> float:
        """Return the confidence of the surest face that counts, 0 if there is none."""
        return max((detection.confidence for detection in self.sure), default=0.0)

    def why_none(self, embed: Embed) -> str:
        """Say what was passed over, for a picture in which no face counts."""
        passed_over = []
        if self.small:
            passed_over.append(f"{self.small} below embed.min_face ({embed.min_face} pixels)")
        if self.unsure:
            passed_over.append(f"{self.unsure} below embed.min_confidence ({embed.min_confidence:g})")
        return "no face was found" + (": ignored are " + ", ".join(passed_over) if passed_over else "")


def searches(pictures: Sequence[Picture], embed: Embed) -> list[Search]:
    """Search each picture for faces, as it is and where that is in doubt turned."""
    results = _searched(pictures, embed, 0)
    doubted = [index for index, search in enumerate(results) if search.surest() < embed.turned_below]
    again = _turned([pictures[index] for index in doubted], embed)
    for index, turned in zip(doubted, again, strict=True):
        if 1 - turned.surest() <= (1 - max(results[index].surest(), embed.min_confidence)) / _FIRMER:
            results[index] = turned
    return results


def _searched(pictures: Sequence[Picture], embed: Embed, turn: int) -> list[Search]:
    """Search pictures turned by `turn`; what is found is in pixels of the full picture before turning."""
    smallest, least = min(_SOUGHT_FACE, embed.min_face), min(_SOUGHT_CONFIDENCE, embed.min_confidence)
    turned = [np.ascontiguousarray(np.rot90(picture.pixels, turn)) for picture in pictures]
    detections = models.detect(turned, embed.detector_side, smallest, least)
    results = []
    for picture, raw in zip(pictures, detections, strict=True):
        every = [_upright(detection, picture, turn) for detection in raw]
        large = [detection for detection in every if min(detection.box[2:]) >= embed.min_face]
        sure = tuple(detection for detection in large if detection.confidence >= embed.min_confidence)
        results.append(Search(turn, sure, len(every) - len(large), len(large) - len(sure)))
    return results


def _turned(pictures: Sequence[Picture], embed: Embed) -> list[Search]:
    """For each picture the turn whose face is surest."""
    if not pictures:
        return []
    by_turn = [_searched(pictures, embed, turn) for turn in _TURNS]
    return [max(turns, key=Search.surest) for turns in zip(*by_turn, strict=True)]


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

"""The MTCNN face detector: boxes, five landmarks and a confidence, by the package `mtcnn`.

Its weights are pickles, which are programs: their SHA-256 are pinned, and they are taken from the package by full path
(by bare name the package would first look in the working directory).
Source: Zhang and others, Joint face detection and alignment using multitask cascaded convolutional networks, 2016.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from facesieve.errors import ModelError
from facesieve.models import runtime
from facesieve.models.proposals import Proposals

_WEIGHTS = {
    "pnet.lz4": "ea6b0c3e685ebee3165326ad6484acc95f2ef78f1c94fbf40a55704fa989f7b5",
    "rnet.lz4": "cb00e6460f3c98b0bfafaba3c0a0ded4bdf6e62cee7174d969e8670d7e757fee",
    "onet.lz4": "94f6ea2f4cf985275ee958cdd762d17b6009348a4fb9d8c6be39ba73ffd22ca3",
}
_WINDOW = 12
"""Side in pixels of the window that the first network slides: an image below it holds no face."""


@dataclass(frozen=True)
class Detection:
    """A face found: box (x, y, width, height) in pixels of the image, five points (x, y each), confidence 0..1.

    The box may reach over the border. Points: left eye, right eye, nose, left and right mouth corner, as seen.
    """

    box: tuple[float, float, float, float]
    landmarks: tuple[float, ...]
    confidence: float


def detect(image: npt.NDArray[np.uint8], side: int, smallest: int, confidence: float) -> list[Detection]:
    """Find faces: uint8 [H, W, 3] RGB -> detections of at least `confidence`, in no particular order.

    The search runs on a copy whose longer side is at most `side` pixels, for faces from about `smallest` pixels there.
    """
    longer = max(image.shape[:2])
    scale = min(1.0, side / longer)
    small = image if scale == 1.0 else _shrunk(image, scale)
    if min(small.shape[:2]) < _WINDOW:
        return []
    found = _mtcnn().detect_faces(
        small,
        fit_to_image=False,
        box_format="xyxy",
        output_type="numpy",
        min_face_size=smallest,
        threshold_onet=confidence,
    )
    stretch = np.array([image.shape[1] / small.shape[1], image.shape[0] / small.shape[0]])
    return [_detection(row, stretch) for row in found if np.isfinite(row).all()]


def _shrunk(image: npt.NDArray[np.uint8], scale: float) -> npt.NDArray[np.uint8]:
    height, width = (max(1, round(length * scale)) for length in image.shape[:2])
    picture = Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2.0)
    return np.asarray(picture)


def _detection(row: npt.NDArray[np.float64], stretch: npt.NDArray[np.float64]) -> Detection:
    """One row of the package's result: image, x1, y1, x2, y2, confidence, five x, five y."""
    left, top, right, bottom = (row[1:5] * np.tile(stretch, 2)).tolist()
    points = (row[6:16].reshape(2, 5).T * stretch).ravel()
    return Detection((left, top, right - left, bottom - top), tuple(points.tolist()), float(row[5]))


@cache
def _mtcnn() -> Any:
    """Load the detector, once per process."""
    runtime.tensorflow()
    with runtime.silenced():
        from mtcnn import MTCNN  # noqa: PLC0415 (imports TensorFlow)
        from mtcnn.stages import StageONet, StagePNet, StageRNet  # noqa: PLC0415

        kinds = dict(zip(_WEIGHTS, (StagePNet, StageRNet, StageONet), strict=True))
        first, *others = [kind(weights=str(_weights(name))) for name, kind in kinds.items()]
        return MTCNN(stages=[Proposals(first.model), *others])


def _weights(name: str) -> Path:
    file = Path(str(resources.files("mtcnn.assets.weights") / name))
    if hashlib.sha256(file.read_bytes()).hexdigest() != _WEIGHTS[name]:
        raise ModelError(f"The detector's weights {file} are not those of mtcnn 1.0.0. Install mtcnn==1.0.0 again.")
    return file

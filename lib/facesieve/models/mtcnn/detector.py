"""The MTCNN face detector: boxes, five landmarks and a confidence, with the networks of the package `mtcnn`.

Its weights are pickles, which are programs: their SHA-256 are pinned, and what was digested is what is read.
Source: Zhang and others, Joint face detection and alignment using multitask cascaded convolutional networks, 2016.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import joblib  # type: ignore[import-untyped]
import numpy as np
import numpy.typing as npt
import PIL.Image

from facesieve.core.errors import ModelError
from facesieve.models import runtime
from facesieve.models.mtcnn import cascade
from facesieve.models.mtcnn.networks import Networks, Weights, compiled
from facesieve.models.mtcnn.proposals import WINDOW

Image = npt.NDArray[np.uint8]
"""uint8 [H, W, 3], RGB."""

_WEIGHTS = {
    "pnet.lz4": "ea6b0c3e685ebee3165326ad6484acc95f2ef78f1c94fbf40a55704fa989f7b5",
    "rnet.lz4": "cb00e6460f3c98b0bfafaba3c0a0ded4bdf6e62cee7174d969e8670d7e757fee",
    "onet.lz4": "94f6ea2f4cf985275ee958cdd762d17b6009348a4fb9d8c6be39ba73ffd22ca3",
}
_MOST_PIXELS = 2_000_000
"""Pixels searched at once, after shrinking: 32 images of 250 x 250, or one of the largest."""


@dataclass(frozen=True)
class Detection:
    """A face found: box (x, y, width, height) in pixels of the image, five points (x, y each), confidence 0..1.

    The box may reach over the border. Points: left eye, right eye, nose, left and right mouth corner, as seen.
    """

    box: tuple[float, float, float, float]
    landmarks: tuple[float, ...]
    confidence: float


def detect(images: Sequence[Image], side: int, smallest: int, confidence: float) -> list[list[Detection]]:
    """Find faces: uint8 [H, W, 3] RGB images of any sizes -> for each its detections above `confidence`, surest first.

    The search runs on copies whose longer side is at most `side` pixels, for faces from about `smallest` pixels there.
    What is found in an image depends on no other, up to rounding.
    """
    faces: list[list[Detection]] = []
    for chunk in _chunks(images, side):
        searched = [index for index, small in enumerate(chunk) if min(small.shape[:2]) >= WINDOW]
        rows = cascade.windows_of([chunk[index] for index in searched], smallest, confidence, networks())
        by_index = dict(zip(searched, rows, strict=True))
        for index, small in enumerate(chunk):
            image = images[len(faces)]
            stretch = np.array([image.shape[1] / small.shape[1], image.shape[0] / small.shape[0]])
            own = by_index.get(index, np.empty((0, 15)))
            faces.append([_detection(row, stretch) for row in own if np.isfinite(row).all()])
    return faces


def _chunks(images: Sequence[Image], side: int) -> Iterator[list[Image]]:
    """The images, none longer than `side`, in order, in lists of at most `_MOST_PIXELS` (or one image)."""
    chunk: list[Image] = []
    for image in images:
        scale = min(1.0, side / max(image.shape[:2]))
        small = image if scale == 1.0 else _shrunk(image, scale)
        if chunk and sum(image.size for image in [*chunk, small]) > 3 * _MOST_PIXELS:
            yield chunk
            chunk = []
        chunk.append(small)
    if chunk:
        yield chunk


def _shrunk(image: Image, scale: float) -> Image:
    height, width = (max(1, round(length * scale)) for length in image.shape[:2])
    picture = PIL.Image.fromarray(image).resize((width, height), PIL.Image.Resampling.BILINEAR, reducing_gap=2.0)
    return np.asarray(picture)


def _detection(row: npt.NDArray[np.float64], stretch: npt.NDArray[np.float64]) -> Detection:
    """One row of the cascade's result: x1, y1, x2, y2, confidence, five x, five y."""
    left, top, right, bottom = (row[:4] * np.tile(stretch, 2)).tolist()
    points = (row[5:15].reshape(2, 5).T * stretch).ravel()
    return Detection((left, top, right - left, bottom - top), tuple(points.tolist()), float(row[4]))


@cache
def networks() -> Networks:
    """Load the detector, once per process."""
    tf = runtime.tensorflow()
    with runtime.silenced():
        return compiled(tf, *map(weights, _WEIGHTS))


def weights(name: str) -> Weights:
    """Read the weights of one network: `pnet.lz4`, `rnet.lz4` or `onet.lz4`. Raises ModelError if they are altered."""
    package = importlib.util.find_spec("mtcnn")  # to import it would load Keras
    if package is None or package.origin is None:
        raise ModelError("The package mtcnn is missing. Install mtcnn==1.0.0.")
    file = Path(package.origin).parent / "assets" / "weights" / name
    content = file.read_bytes()
    if hashlib.sha256(content).hexdigest() != _WEIGHTS[name]:
        raise ModelError(f"The detector's weights {file} are not those of mtcnn 1.0.0. Install mtcnn==1.0.0 again.")
    arrays: Weights = joblib.load(io.BytesIO(content))
    return arrays

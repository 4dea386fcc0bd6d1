"""Detectors that find what a test says."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from arrow_picture import POINTS, sought

from facesieve import models
from facesieve.models import Detection


@pytest.fixture
def detected(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that sets what the detector finds in each image: pairs of a box and a confidence."""

    def finds(*detections: tuple[tuple[float, float, float, float], float]) -> None:
        each = [Detection(box, POINTS, sure) for box, sure in detections]
        monkeypatch.setattr(models, "detect", lambda images, *asked: [each for _ in images])

    return finds


@pytest.fixture
def arrow(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """A detector for the four blocks of `arrow_picture`."""
    confidence = {"upright": 0.99, "turned": 0.0}
    monkeypatch.setattr(models, "detect", lambda images, *asked: [sought(image, confidence) for image in images])
    return confidence

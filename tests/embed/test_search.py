from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from arrow_picture import marked, sought

from facesieve import models
from facesieve.core.sections import Embed
from facesieve.embed.decode import Picture
from facesieve.embed.search import Search, searches
from facesieve.models import Detection

POINTS = tuple(float(number) for number in range(10))
NO_TURNS = Embed(turned_below=0.0)
Confidence = dict[str, float]


def taken(image: Any, scale: int = 1) -> Picture:
    height, width = image.shape[:2]
    return Picture(image, width * scale, height * scale)


def searched(picture: Picture, embed: Embed) -> Search:
    (result,) = searches([picture], embed)
    return result


@pytest.fixture
def detected(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that sets what the detector finds in each image: pairs of a box and a confidence."""

    def finds(*detections: tuple[tuple[float, float, float, float], float]) -> None:
        each = [Detection(box, POINTS, sure) for box, sure in detections]
        monkeypatch.setattr(models, "detect", lambda images, *asked: [each for _ in images])

    return finds


@pytest.fixture
def arrow(monkeypatch: pytest.MonkeyPatch) -> Confidence:
    """A detector for the four blocks of `arrow_picture`."""
    confidence = {"upright": 0.99, "turned": 0.0}
    monkeypatch.setattr(models, "detect", lambda images, *asked: [sought(image, confidence) for image in images])
    return confidence


def test_faces_too_small_or_too_unsure_are_passed_over(detected: Callable[..., None]) -> None:
    detected(((0, 0, 19, 40), 0.99), ((0, 0, 50, 50), 0.99), ((60, 0, 40, 40), 0.85), ((9, 0, 15, 15), 0.99))
    search = searched(taken(marked(0)), Embed(min_face=20, min_confidence=0.9))
    assert [face.box[2] for face in search.sure] == [50]
    assert (search.small, search.unsure, search.passed_over) == (2, 1, 3)
    assert search.why_none(Embed()).startswith("no face was found: ignored are 2 below embed.min_face (20 pixels), 1 ")


def test_nothing_at_all_is_an_empty_search(detected: Callable[..., None]) -> None:
    detected()
    search = searched(taken(marked(0)), Embed())
    assert (search.sure, search.passed_over, search.surest()) == ((), 0, 0.0)
    assert search.why_none(Embed()) == "no face was found"
    assert searches([], Embed()) == []


def test_boxes_and_points_are_in_pixels_of_the_full_image(arrow: Confidence) -> None:
    for turn in range(4):
        (face,) = searched(taken(marked(turn), 2), Embed()).sure
        x, y = (int(place / 2) for place in face.landmarks[:2])
        assert marked(turn)[y, x].tolist() == [0, 0, 255], "the first point is the blue block"
        assert sorted(face.box[2:]) == [120, 140]


@pytest.mark.parametrize(
    ("as_it_is", "upside_down", "turns"),
    [(0.9, 0.98, [0]), (0.9, 0.991, [2]), (0.96, 0.999, [0]), (0.0, 0.97, []), (0.0, 0.99, [2])],
)
def test_a_turned_find_must_be_ten_times_surer(
    arrow: Confidence, as_it_is: float, upside_down: float, turns: list[int]
) -> None:
    arrow |= {"turned": as_it_is, "upright": upside_down}
    search = searched(taken(marked(2)), Embed())
    assert [search.turn for _ in search.sure] == turns


def test_turning_can_be_switched_off(arrow: Confidence) -> None:
    arrow |= {"upright": 0.999, "turned": 0.0}
    assert not searched(taken(marked(2)), NO_TURNS).sure
    assert searched(taken(marked(2)), Embed()).turn == 2

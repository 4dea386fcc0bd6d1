from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from arrow_picture import POINTS, marked, taken
from PIL import Image

from facesieve import models
from facesieve.core.sections import Embed
from facesieve.embed.picture import Picture
from facesieve.embed.search import Search, searches
from facesieve.models import Detection

NO_TURNS = Embed(turned_below=0.0)
Confidence = dict[str, float]


def searched(picture: Picture, embed: Embed) -> Search:
    (result,) = searches([picture], embed)
    return result


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


def photograph(data: Path, place: int = 1) -> Any:
    path = sorted((data / "lfw_colour" / "images" / "Tony_Blair").glob("*.jpg"))[place]
    return np.asarray(Image.open(path).convert("RGB"))


def cut_at_its_box(image: Any) -> Any:
    x, y, width, height = (max(0, round(length)) for length in searched(taken(image), Embed()).sure[0].box)
    return np.ascontiguousarray(image[y : y + height, x : x + width])


@pytest.fixture
def spot(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A detector that sees a white spot as a face of 30 pixels, if it has room; return how many images it is shown."""
    shown = [0]

    def seen(image: Any) -> list[Detection]:
        white = np.argwhere((image == 255).all(axis=2))
        if not len(white):
            return []
        (top, left), (bottom, right) = white.min(axis=0), white.max(axis=0) + 1
        room = min(top, left, image.shape[0] - bottom, image.shape[1] - right) > 0
        box = (float(left), float(top), float(right - left), float(bottom - top))
        return [Detection(box, POINTS, 0.99)] if room and image.shape[1] <= 400 else []

    def detect(images: Any, *asked: Any) -> list[list[Detection]]:
        shown[0] += len(images)
        return [seen(image) for image in images]

    monkeypatch.setattr(models, "detect", detect)
    return shown


def test_a_face_that_fills_the_picture_is_found_with_a_border_in_the_pictures_own_coordinates(spot: list[int]) -> None:
    image = np.zeros((60, 40, 3), np.uint8)
    image[:50] = 255
    for scale in (1, 3):
        (face,) = searched(taken(image, scale), NO_TURNS).sure
        assert face.box == (0, 0, 40 * scale, 50 * scale)


def test_a_border_finds_nothing_small_and_is_made_only_where_nothing_is_found(spot: list[int]) -> None:
    small, inside = np.zeros((90, 90, 3), np.uint8), np.zeros((90, 90, 3), np.uint8)
    small[:30, :30] = 255
    inside[20:50, 20:50] = 255
    assert not searched(taken(small), NO_TURNS).sure
    spot[0] = 0
    assert searched(taken(inside), NO_TURNS).sure[0].box == (20, 20, 30, 30)
    assert spot == [1]


@pytest.mark.parametrize("upright", [False, True])
def test_a_long_picture_is_searched_in_tiles_and_no_face_is_twice(spot: list[int], upright: bool) -> None:
    image = np.zeros((100, 2_000, 3), np.uint8)
    image[30:60, 1_150:1_180] = 255
    faces = searched(taken(image.transpose(1, 0, 2) if upright else image, 2), Embed(detector_side=400)).sure
    if not upright:
        assert [face.box for face in faces] == [(2_300, 60, 60, 60)]
    assert spot[0] >= 20
    spot[0] = 0
    searched(taken(image), Embed(detector_side=2_000, turned_below=0.0))
    assert spot == [2], "one that is not reduced is searched in one piece, and with a border"


def test_real_faces_cut_out_at_their_box_are_found(data: Path) -> None:
    for place in range(4):
        tight = cut_at_its_box(photograph(data, place))
        face = searched(taken(tight), Embed()).sure[0]
        x, y = np.reshape(face.landmarks, (5, 2)).T
        assert 0 < x.min() < x.max() < tight.shape[1]
        assert 0 < y.min() < y.max() < tight.shape[0]


def test_a_real_face_in_a_panorama_is_found_where_it_is(data: Path) -> None:
    image = photograph(data)
    (alone,) = searched(taken(image), Embed()).sure[:1]
    panorama = np.full((250, 4_000, 3), 120, np.uint8)
    panorama[:, 2_100:2_350] = image
    face = max(searched(taken(panorama), Embed()).sure, key=lambda each: each.box[2])
    assert np.abs(np.array(face.box) - np.array(alone.box) - [2_100, 0, 0, 0]).max() < 6


def test_pictures_without_a_face_have_none_with_a_border() -> None:
    chance = np.random.default_rng(0)
    noise = [chance.integers(0, 256, (60 + 9 * place, 80, 3)).astype(np.uint8) for place in range(6)]
    plain = [np.full((100, 80, 3), shade, np.uint8) for shade in (0, 90, 255)]
    assert not [search for search in searches([taken(image) for image in noise + plain], Embed()) if search.sure]

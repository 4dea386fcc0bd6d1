from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from arrow_picture import POINTS, marked, taken
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from facesieve import models
from facesieve.core import config_schema
from facesieve.core.errors import Fault
from facesieve.core.profiles import Crop, Margin, Profile
from facesieve.core.reasons import Reason
from facesieve.core.sections import Embed
from facesieve.embed.crops import Face, again, cut, faces, magnified, standard
from facesieve.embed.picture import Picture, Unusable
from facesieve.faces import pixels
from facesieve.models import Detection

TEMPLATE = (0.3, 0.4, 0.7, 0.4, 0.5, 0.6, 0.35, 0.8, 0.65, 0.8)
NO_TURNS = Embed(turned_below=0.0)


def located(pictures: Sequence[Picture], profile: Profile, embed: Embed) -> list[list[Face]]:
    """The faces of pictures that have some."""
    answers = faces(pictures, profile, embed)
    assert not [answer for answer in answers if isinstance(answer, Unusable)]
    return [answer for answer in answers if not isinstance(answer, Unusable)]


def refusals(pictures: Sequence[Picture], profile: Profile, embed: Embed) -> list[Unusable]:
    """Why pictures have no face, which is so of all of them."""
    answers = faces(pictures, profile, embed)
    assert all(isinstance(answer, Unusable) for answer in answers)
    return [answer for answer in answers if isinstance(answer, Unusable)]


def points_of(face: Face) -> tuple[float, ...]:
    assert face.landmarks is not None
    return face.landmarks


PICTURE = taken(np.zeros((200, 300, 3), dtype=np.uint8))


def profile(**others: Any) -> Profile:
    return Profile(
        file="", sha256="0" * 64, form="tflite", input=(8, 8), normalisation="none", dimension=2, name="any", **others
    )


def test_largest_face_ties_go_to_the_surer_then_to_the_left(detected: Any) -> None:
    detected(((0, 0, 30, 40), 0.99), ((50, 0, 50, 40), 0.97), ((20, 9, 40, 50), 0.97), ((90, 0, 40, 50), 0.98))
    ((face,),) = located([PICTURE], profile(), Embed(faces="largest"))
    assert (face.box, face.left_out) == ((90, 0, 40, 50), 3)
    for faces_taken in ("all", "auto"):
        (every,) = located([PICTURE], profile(), Embed(faces=faces_taken))
        assert [(face.box[0], face.left_out) for face in every] == [(90, 0), (20, 0), (50, 0), (0, 0)]


def test_the_cut_is_a_square_with_the_profiles_margin(detected: Any) -> None:
    detected(((10, 20, 40, 50), 0.99))
    ((face,),) = located([PICTURE], profile(margin=Margin("box", 0.5)), Embed())
    assert face.cut == (-7.5, 7.5, 75, 75)
    assert (face.landmarks, face.confidence, face.turn) == (POINTS, 0.99, 0)


def test_facenets_margin_is_of_the_images_pixels_and_ends_at_the_border(detected: Any) -> None:
    detected(((10, 20, 40, 50), 0.99))
    ((face,),) = located([PICTURE], profile(margin=Margin("facenet", pixels=32)), Embed())
    assert face.cut == (0, 4, 66, 82)
    reduced = taken(PICTURE.pixels, scale=3)
    ((face,),) = located([reduced], profile(margin=Margin("facenet", pixels=32)), Embed())
    assert face.box == (30, 60, 120, 150)
    assert face.cut == (14, 44, 152, 182)


def test_what_falls_below_the_bounds_is_counted(detected: Any) -> None:
    detected(((0, 0, 19, 40), 0.99), ((0, 0, 15, 15), 0.99), ((0, 0, 40, 40), 0.85))
    (why,) = refusals([PICTURE], profile(), Embed(min_face=20, min_confidence=0.9))
    assert why.reason is Reason.NO_FACE
    assert "2 below embed.min_face (20 pixels), 1 below embed.min_confidence (0.9)" in why.detail


def test_what_falls_below_the_bounds_is_counted_beside_other_faces(detected: Any) -> None:
    detected(((0, 0, 19, 40), 0.99), ((0, 0, 50, 50), 0.99), ((60, 0, 40, 40), 0.85), ((99, 0, 40, 40), 0.99))
    (every,) = located([PICTURE], profile(), Embed(min_face=20, min_confidence=0.9, faces="all"))
    assert [face.passed_over for face in every] == [2, 2]


def test_the_smallest_face_counts_in_pixels_of_the_full_image(detected: Any) -> None:
    detected(((0, 0, 15, 15), 0.99))
    assert isinstance(faces([PICTURE], profile(), NO_TURNS)[0], Unusable)
    assert len(located([taken(PICTURE.pixels, scale=2)], profile(), NO_TURNS)[0]) == 1


def test_no_face_at_all(detected: Any) -> None:
    detected()
    (why,) = refusals([PICTURE], profile(), Embed())
    assert why.detail == "no face was found"
    assert faces([], profile(), Embed()) == []


@pytest.mark.parametrize("turn", [0, 1, 2, 3])
@pytest.mark.parametrize("margin", [Margin("box", 0.5), Margin("facenet"), Margin("five_point", 0.4, 0, TEMPLATE)])
@pytest.mark.usefixtures("arrow")
def test_a_turned_picture_gives_the_upright_crop_and_its_own_coordinates(turn: int, margin: Any) -> None:
    pictures = [taken(marked(0), 2), taken(marked(turn), 2), taken(np.zeros((200, 300, 3), np.uint8) + marked(0), 2)]
    (upright,), (face,), _ = located(pictures, profile(margin=margin), Embed())
    assert (upright.turn, face.turn) == (0, turn)
    size = (24, 20)
    crop = cut(pictures[1], face, size)
    assert crop.shape == (*size, 3)
    rounding = 16 if margin.kind == "five_point" else 1e-2  # its filter lies along the picture's axes, not the face's
    np.testing.assert_allclose(crop, cut(pictures[0], upright, size), atol=rounding)
    left_eye = np.array(points_of(face)[:2]) / 2
    assert pictures[1].pixels[int(left_eye[1]), int(left_eye[0])].tolist() == [0, 0, 255]
    x, y, width, height = face.box
    assert x < points_of(face)[0] < x + width
    assert y < points_of(face)[1] < y + height
    assert sorted((width, height)) == sorted(upright.box[2:])


def test_points_that_are_no_faces_fall_back_to_the_box(monkeypatch: pytest.MonkeyPatch) -> None:
    shapeless = Detection((10, 20, 40, 50), (7.0,) * 10, 0.99)
    monkeypatch.setattr(models, "detect", lambda images, *asked: [[shapeless]])
    ((face,),) = located([PICTURE], profile(margin=Margin("five_point", 0.2)), Embed())
    assert face.template is None
    assert cut(PICTURE, face, (8, 8)).shape == (8, 8, 3)


def test_a_crop_is_magnified_only_from_reduced_pixels() -> None:
    small, large = (Face((0, 0, side, side), (0, 0, side, side)) for side in (300, 400))
    full, reduced = PICTURE, taken(PICTURE.pixels, 2)
    assert [magnified(full, small, (160, 160)), magnified(reduced, small, (160, 160))] == [False, True]
    assert not magnified(reduced, large, (160, 160))
    points = tuple((np.array(TEMPLATE) * 300).tolist())
    laid = Face((0, 0, 300, 300), (0, 0, 300, 300), points, 0.99, 0, TEMPLATE)
    assert [magnified(reduced, laid, (side, side)) for side in (140, 160)] == [False, True]


def test_aligned_takes_the_profiles_crop_or_the_whole_image() -> None:
    ((face,),) = located([PICTURE], profile(crop=Crop(100, 125, 120)), Embed(detector="aligned"))
    assert face.box == face.cut == (75, 70, 100, 100)
    assert (face.confidence, face.landmarks) == (None, None)
    ((whole,),) = located([taken(PICTURE.pixels, 2)], profile(margin=Margin("five_point")), Embed(detector="aligned"))
    assert whole.box == (0, 0, 600, 400)
    assert whole.template is None


@pytest.mark.parametrize(
    "crop", [Crop(100, 150, 250), Crop(201, 150, 101.1), Crop(100, 51, 48.9), Crop(1.1, 0.5, 0.5, "share")]
)
def test_aligned_refuses_an_image_that_the_crop_leaves(crop: Crop) -> None:
    (why,) = refusals([PICTURE], profile(crop=crop), Embed(detector="aligned"))
    assert why.reason is Reason.CROP_OUTSIDE
    assert "leaves the image of 300 x 200 pixels" in why.detail


def test_a_crop_that_is_rounded_over_the_edge_is_taken() -> None:
    ((face,),) = located([PICTURE], profile(crop=Crop(200, 150, 100.5)), Embed(detector="aligned"))
    assert face.cut == (50, 0.5, 200, 200)


@given(st.floats(0.05, 1), st.floats(0, 1), st.floats(0, 1), st.integers(20, 600), st.integers(20, 600))
def test_a_fixed_crop_lies_in_the_image_or_is_refused(side: float, x: float, y: float, width: int, height: int) -> None:
    picture = taken(np.zeros((height, width, 3), np.uint8))
    (answer,) = faces([picture], profile(crop=Crop(side, x, y, "share")), Embed(detector="aligned"))
    half = side * min(width, height) / 2
    room = min(x * width - half, y * height - half, (1 - x) * width - half, (1 - y) * height - half)
    assert isinstance(answer, Unusable) == (room <= -1) or abs(room + 1) < 1e-6


def test_a_crop_from_reduced_pixels_is_that_of_the_full_picture() -> None:
    image = np.asarray(Image.effect_noise((300, 200), 80).convert("RGB").reduce(4).resize((300, 200)))
    face = Face((60, 40, 80, 80), (50, 30, 100, 100))
    reduced = Picture(np.asarray(Image.fromarray(image).reduce(2)), 300, 200)
    expected = pixels.resample(image, face.cut, (20, 20))
    assert np.abs(cut(reduced, face, (20, 20)) - expected).mean() < 3


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_a_real_face_is_found_whichever_way_it_is_turned(data: Path, turn: int) -> None:
    path = sorted((data / "lfw_colour" / "images" / "Tony_Blair").glob("*.jpg"))[1]
    image = np.asarray(Image.open(path).convert("RGB"))
    pictures = [taken(image), taken(np.ascontiguousarray(np.rot90(image, -turn)))]
    (upright,), (face,) = located(pictures, profile(margin=Margin("five_point", 0.1)), Embed(faces="largest"))
    assert face.turn == turn == again(face.box, points_of(face), pictures[1], None).turn
    assert face.confidence == pytest.approx(upright.confidence, abs=1e-4)
    crops = [cut(picture, turned, (64, 64)) for picture, turned in zip(pictures, (upright, face), strict=True)]
    assert np.abs(crops[0] - crops[1]).mean() < 1


def test_a_face_cut_by_the_border_and_one_of_two_faces_are_found(data: Path) -> None:
    files = [sorted(folder.glob("*.jpg"))[1] for folder in sorted((data / "lfw_colour" / "images").iterdir())[:2]]
    left, right = (np.asarray(Image.open(file).convert("RGB")) for file in files)
    pictures = [taken(np.hstack([left, right])), taken(np.ascontiguousarray(left[:, 80:]))]
    two, single = located(pictures, profile(), Embed(faces="all"))
    assert len(two) >= 2
    assert len(single) >= 1
    assert all(cut(pictures[1], face, (32, 32)).shape == (32, 32, 3) for face in single)


@pytest.mark.parametrize(
    "template", [[0.5] * 10, [0.1, 0.2], [*TEMPLATE[:9], 112.0], [*TEMPLATE[:9], "0.8"], [*TEMPLATE, 0.5]]
)
def test_a_template_that_is_none_is_refused(template: Any) -> None:
    faults: list[Fault] = []
    assert config_schema.build(Margin, {"kind": "five_point", "template": template}, "margin.", faults) is None
    assert any(fault.key == "margin.template" for fault in faults)


def test_each_kind_of_margin_has_its_own_room() -> None:
    assert (Margin().room, Margin("five_point").room, Margin("five_point", 0.3).room) == (0.2, 0.0, 0.3)
    assert config_schema.build(Margin, {"kind": "five_point", "template": list(TEMPLATE)}, "", []) is not None


ARCFACE = np.array([[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]])


def blocks_of(crop: Any) -> list[list[float]]:
    """The middles of the red and the green block of a crop."""
    strength = crop.astype(float)
    return [
        (np.argwhere(mask).mean(axis=0)[::-1] + 0.5).round().tolist()
        for mask in (
            strength[..., 0] - strength[..., 1:].max(-1) > 60,
            strength[..., 1] - strength[..., ::2].max(-1) > 60,
        )
    ]


@pytest.mark.parametrize("turn", [0, 1, 2, 3])
def test_the_standard_crop_is_upright_whatever_the_profile_cuts(turn: int) -> None:
    points = ARCFACE * 2 + (40, 30)
    image = np.zeros((300, 320, 3), np.uint8)
    for colour, place in (((255, 0, 0), points[0]), ((0, 255, 0), points[4])):
        column, row = place.astype(int)
        image[row - 6 : row + 6, column - 6 : column + 6] = colour
    x, y = points.T
    turned = {0: (x, y), 1: (300 - y, x), 2: (320 - x, 300 - y), 3: (y, 320 - x)}[turn]
    landmarks = tuple(np.stack(turned, axis=1).ravel().tolist())
    face = Face((0, 0, 9, 9), (0, 0, 5, 7), landmarks, turn=turn, template=TEMPLATE)
    crop = standard(taken(np.ascontiguousarray(np.rot90(image, -turn))), face)
    assert crop.shape == (64, 64, 3)
    expected = (ARCFACE[[0, 4]] / 112 - 0.5) * 64 / 1.1 + 32
    np.testing.assert_allclose(blocks_of(crop), expected, atol=1.1)


def test_the_standard_crop_is_the_box_where_no_points_are_known() -> None:
    image = np.zeros((100, 100, 3), np.uint8)
    image[20:40, 30:50] = 200
    box = (30.0, 20.0, 20.0, 20.0)
    for points in (None, (1.0,) * 10):
        crop = standard(taken(image), Face(box, (0, 0, 5, 5), landmarks=points))
        assert (crop[2:-2, 2:-2] == 200).all()


@pytest.mark.parametrize("turn", [0, 1, 2, 3])
@pytest.mark.parametrize("margin", [Margin("box", 0.5), Margin("facenet"), Margin("five_point", 0.4, 0, TEMPLATE)])
def test_a_face_is_cut_again_by_what_its_row_says(monkeypatch: pytest.MonkeyPatch, turn: int, margin: Margin) -> None:
    """A face whose points lie as in a photograph, some 20 degrees aslant."""
    x, y = (np.reshape(TEMPLATE, (5, 2)) @ np.array([[0.94, 0.34], [-0.34, 0.94]]) * 50 + 60).T
    size = (300, 200) if turn % 2 == 0 else (200, 300)
    turned = {0: (x, y), 1: (size[0] - y, x), 2: (size[0] - x, size[1] - y), 3: (y, size[1] - x)}[turn]
    points = tuple(np.stack(turned, axis=1).ravel().tolist())
    box = (min(points[::2]), min(points[1::2]), 50.0, 60.0)
    monkeypatch.setattr(models, "detect", lambda images, *asked: [[Detection(box, points, 0.99)] for _ in images])
    picture = taken(np.zeros((size[1], size[0], 3), dtype=np.uint8))
    ((face,),) = located([picture], profile(margin=margin), Embed())
    assert again(face.box, points, picture, margin) == replace(face, confidence=1.0, turn=turn)


def test_an_aligned_face_is_cut_again_by_its_box() -> None:
    ((face,),) = located([PICTURE], profile(crop=Crop(100, 150, 100)), Embed(detector="aligned"))
    assert again(face.box, None, PICTURE, None) == face

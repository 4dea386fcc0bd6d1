"""Copies of every kind are shown to be one photograph; what moved is not, however little."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageEnhance, ImageOps
from scenes import SIZE, scene, small

from facesieve.decide.kernels.same_photograph import (
    Likeness,
    View,
    is_alike,
    likeness,
    probability,
    shows_copy,
    slack,
    usable,
)
from facesieve.decide.kernels.starting_maps import by_frames, by_points, face_points

FACE = (90.0, 60.0, 110.0, 120.0)
POINTS = face_points(None, FACE)
Change = Callable[[Image.Image], Image.Image]


def marked(image: Image.Image) -> Image.Image:
    copy = image.copy()
    ImageDraw.Draw(copy).text((10, 215), "a mark of an agency", fill="white")
    return copy


def moved(image: Image.Image, pixels: float) -> Image.Image:
    """The middle of the picture has moved while the rest stood still."""
    values = np.asarray(image, np.float64)
    row, column = np.mgrid[: values.shape[0], : values.shape[1]]
    share = np.exp(-(((column - 145) / 60) ** 2 + ((row - 120) / 60) ** 2))
    place = np.clip(column - pixels * share, 0, values.shape[1] - 1.001)
    left = place.astype(int)
    part = (place - left)[..., None]
    mixed = values[row, left] * (1 - part) + values[row, left + 1] * part
    return Image.fromarray(mixed.round().astype(np.uint8))


COPIES: dict[str, tuple[Change, int]] = {
    "encoded": (lambda image: image, 50),
    "resized": (lambda image: image.resize((210, 168), Image.Resampling.BICUBIC), 90),
    "cut": (lambda image: image.crop((30, 24, 270, 216)), 90),
    "brighter": (lambda image: ImageEnhance.Brightness(image).enhance(1.3), 90),
    "darker": (lambda image: ImageEnhance.Brightness(image).enhance(0.6), 90),
    "framed": (lambda image: ImageOps.expand(image, 20, "white"), 90),
    "framed in grey": (lambda image: ImageOps.expand(image, 20, (90, 90, 90)), 90),
    "grey": (lambda image: image.convert("L").convert("RGB"), 90),
    "marked": (marked, 90),
}
FRAMES: dict[str, Change] = {
    "turned a little": lambda image: image.rotate(0.6, Image.Resampling.BICUBIC, translate=(1, 0)),
    "shifted": lambda image: image.rotate(0, Image.Resampling.BICUBIC, translate=(1, 1)),
    "moved": lambda image: moved(image, 3),
}


def agreement(image: Image.Image, other: Image.Image, quality: int = 90, *, mirrored: bool = False) -> Likeness | None:
    views = [View(small(each, quality), each.size) for each in (image, other)]
    return likeness(views[0], views[1], [by_frames(image.size, other.size, mirrored=mirrored)], FACE)


@pytest.mark.parametrize("kind", COPIES)
@pytest.mark.parametrize("seed", [3, 4])
def test_copies_are_shown(kind: str, seed: int) -> None:
    image, (change, quality) = scene(seed), COPIES[kind]
    other = change(image)
    shift = {"cut": (-30, -24), "framed": (20, 20), "framed in grey": (20, 20)}.get(kind, (0, 0))
    scale = 0.7 if kind == "resized" else 1.0
    there = by_points(POINTS, (POINTS + shift) * scale + 1.5, mirrored=False)  # a detector is not exact
    first, second = (View(small(each, quality), each.size) for each in (image, other))
    for one, two, start in ((first, second, there), (second, first, np.linalg.inv(np.vstack([there, (0, 0, 1)]))[:2])):
        answer = likeness(one, two, [start], FACE)
        assert answer is not None
        assert shows_copy(answer), answer
        assert is_alike(answer)
        assert 0.9 < probability(answer) < 0.99


def test_mirrored_and_turned_copies_are_shown() -> None:
    image = scene(5)
    mirrored = agreement(image, ImageOps.mirror(image), mirrored=True)
    lying = image.transpose(Image.Transpose.ROTATE_90)
    turned = np.stack([POINTS[:, 1], SIZE[0] - POINTS[:, 0]], axis=1)
    views = View(small(image), image.size), View(small(lying), lying.size)
    for answer in (mirrored, likeness(*views, [by_points(POINTS, turned, mirrored=False)], FACE)):
        assert answer is not None
        assert shows_copy(answer), answer


@pytest.mark.parametrize("kind", FRAMES)
@pytest.mark.parametrize("seed", [3, 4])
def test_the_next_frame_is_alike_and_no_copy(kind: str, seed: int) -> None:
    answer = agreement(scene(seed), FRAMES[kind](scene(seed)))
    assert answer is not None
    assert is_alike(answer)
    assert not shows_copy(answer), answer


def test_other_pictures_are_neither() -> None:
    answer = agreement(scene(6), scene(7))
    assert answer is None or not (shows_copy(answer) or is_alike(answer))


def test_plain_borders_and_burnt_pixels_are_not_used() -> None:
    grey = np.asarray(scene(8).convert("L")).copy()
    grey[:12], grey[:, -9:], grey[100, 100] = 90, 255, 255
    flags = usable(grey)
    assert not flags[:13].any()
    assert not flags[:, -10:].any()
    assert not flags[100, 100]
    assert flags[14:-2, 1:-11].mean() > 0.99
    assert not usable(np.full((20, 30), 90, np.uint8)).any()


SHARES, PIXELS = (
    st.floats(0.4, 1) | st.sampled_from([0.93, 0.5, 0.9]),
    st.floats(0, 0.5) | st.sampled_from([0.35, 0.17]),
)


@given(st.tuples(SHARES, SHARES, SHARES, PIXELS, PIXELS, PIXELS | st.just(0.15)))
def test_what_is_shown_has_slack_and_a_confidence_above_what_is_not(
    values: tuple[float, float, float, float, float, float],
) -> None:
    answer, at_the_limit = Likeness(*values), Likeness(0.93, 0.5, 0.9, 0.35, 0.17, 0.15)
    assert shows_copy(answer) == (slack(answer) >= 0)
    assert slack(at_the_limit) == 0
    least = probability(at_the_limit)
    assert (probability(answer) >= least) if shows_copy(answer) else (probability(answer) <= least)

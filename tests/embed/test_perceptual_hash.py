from __future__ import annotations

import io
from typing import Any

import imagehash
import numpy as np
import pytest
from PIL import Image

from facesieve.decide.kernels.duplicates import least_difference
from facesieve.embed.perceptual_hash import (
    FACE_BYTES,
    TURNED_BYTES,
    TURNS,
    VIEW_BYTES,
    VIEWS,
    face_hash,
    perceptual_hash,
    picture_hashes,
    turned_hash,
)


def scene(seed: int, width: int = 300, height: int = 240) -> Image.Image:
    """A smooth picture of its own, with light and dark places of many sizes."""
    chance = np.random.default_rng(seed)
    coarse, fine = (chance.integers(0, 256, (side, side, 3), np.uint8) for side in (5, 12))
    lower, upper = (Image.fromarray(grid).resize((width, height), Image.Resampling.BICUBIC) for grid in (coarse, fine))
    return Image.blend(lower, upper, 0.4)


def difference(image: Image.Image, other: Image.Image) -> int:
    hashes = [np.frombuffer(perceptual_hash(np.asarray(image)), np.uint8) for image in (image, other)]
    views, others = (values.reshape(1, len(VIEWS), VIEW_BYTES) for values in hashes)
    return int(min(least_difference(views, others[:, 0])[0], least_difference(others, views[:, 0])[0]))


def encoded(image: Image.Image, quality: int) -> Image.Image:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return Image.open(stream).convert("RGB")


def test_views_are_hashed_as_the_library_hashes_them() -> None:
    differing = []
    for seed in range(10):
        image = scene(seed)
        found = np.frombuffer(perceptual_hash(np.asarray(image)), np.uint8).reshape(len(VIEWS), VIEW_BYTES)
        for cuts, bits in zip(VIEWS, found, strict=True):
            left, top, right, bottom = (round(share * 300) for share in cuts)
            view = image.crop((left, round(top * 0.8), 300 - right, 240 - round(bottom * 0.8)))
            expected = imagehash.dhash(view.convert("L"), 16).hash
            differing.append(int((np.unpackbits(bits).reshape(16, 16) != expected).sum()))
    assert np.mean(differing) < 5
    assert max(differing) <= 16


@pytest.mark.parametrize(
    "changed",
    [
        lambda image: encoded(image, 60),
        lambda image: image.resize((210, 168)),
        lambda image: image.crop((9, 7, 291, 233)),
        lambda image: image.crop((9, 7, 300, 240)),
        lambda image: image.crop((12, 10, 288, 230)),
        lambda image: encoded(image.crop((9, 7, 291, 233)).resize((197, 158)), 60),
    ],
)
def test_a_copy_that_was_encoded_resized_or_cropped_differs_little(changed: Any) -> None:
    assert max(difference(scene(seed), changed(scene(seed))) for seed in range(10)) <= 24


def test_other_pictures_differ_much() -> None:
    assert min(difference(scene(seed), scene(seed + 1)) for seed in range(10)) > 60


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (12, 9), (3_000, 700)])
def test_any_size_has_a_hash(size: Any) -> None:
    image = scene(2, *size)
    assert difference(image, image) == 0


def test_a_large_picture_and_a_small_one_differ_little() -> None:
    assert difference(scene(3, 1_500, 1_200), scene(3, 400, 320)) <= 8


def test_the_hash_of_a_face_ends_with_its_mirror_image() -> None:
    face = np.asarray(scene(4, 64, 64))
    hashed, mirrored = face_hash(face), face_hash(np.ascontiguousarray(face[:, ::-1]))
    assert len(hashed) == len(mirrored) == FACE_BYTES
    assert hashed[:-VIEW_BYTES] == perceptual_hash(face)
    assert hashed[-VIEW_BYTES:] == mirrored[:VIEW_BYTES] != hashed[:VIEW_BYTES]


@pytest.mark.parametrize("size", [(64, 64), (300, 240), (1_500, 1_203), (1, 40)])
def test_the_turned_hashes_are_those_of_the_turned_picture(size: Any) -> None:
    picture = np.asarray(scene(6, *size))
    hashed = turned_hash(picture)
    assert len(hashed) == TURNED_BYTES
    for place, turn in enumerate(TURNS):
        expected = perceptual_hash(np.ascontiguousarray(np.rot90(picture, turn)))[:VIEW_BYTES]
        assert hashed[place * VIEW_BYTES : (place + 1) * VIEW_BYTES] == expected


@pytest.mark.parametrize("size", [(64, 48), (256, 384), (257, 384), (300, 301), (1_280, 960)])
def test_both_hashes_of_a_picture_at_once_are_those_one_by_one(size: tuple[int, int]) -> None:
    coarse = np.random.default_rng(7).integers(0, 256, (size[0] // 8 + 1, size[1] // 8 + 1, 3), np.uint8)
    picture = np.ascontiguousarray(coarse.repeat(8, axis=0).repeat(8, axis=1)[: size[0], : size[1]])
    turned = [perceptual_hash(np.ascontiguousarray(np.rot90(picture, turn)))[:VIEW_BYTES] for turn in TURNS]
    assert picture_hashes(picture) == (perceptual_hash(picture), turned_hash(picture))
    bits = np.unpackbits(np.frombuffer(turned_hash(picture) + b"".join(turned), np.uint8)).reshape(2, -1)
    assert (bits[0] != bits[1]).sum() <= 2

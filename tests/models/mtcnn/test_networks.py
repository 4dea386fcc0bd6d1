"""The networks against the package's own Keras models, on real weights."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest

from facesieve.models import runtime
from facesieve.models.mtcnn import detector, networks
from facesieve.models.mtcnn.proposals import THRESHOLD


@pytest.fixture(scope="module")
def loaded() -> networks.Networks:
    return detector.networks()


def package(stage: str, weights: str) -> Any:
    importlib.import_module("mtcnn")
    return getattr(importlib.import_module("mtcnn.stages"), stage)(weights=weights).model


def noise(*shape: int) -> Any:
    """Pixels with structure: noise of several sizes, which the networks take for faces here and there."""
    rng = np.random.default_rng(5)
    coarse = rng.uniform(0, 255, (shape[0], shape[1] // 4 + 1, shape[2] // 4 + 1, 3))
    fine = coarse.repeat(4, axis=1).repeat(4, axis=2)[:, : shape[1], : shape[2]]
    return (0.7 * fine + 0.3 * rng.uniform(0, 255, shape)).astype(np.uint8)


@pytest.mark.parametrize(("height", "width"), [(60, 80), (61, 83), (41, 46)])
def test_windows_proposed_are_those_of_the_package(loaded: networks.Networks, height: int, width: int) -> None:
    tf, pictures = runtime.tensorflow(), noise(2, height, width, 3)
    size = np.array([height * 3 // 5, width * 3 // 5], np.int32)
    resized = tf.image.resize((pictures - 127.5) / 128, size, method="area")
    offsets, classes = (np.asarray(part) for part in package("StagePNet", "pnet.lz4")(resized))
    scores = classes[..., 1]
    expected = np.argwhere(scores > THRESHOLD)
    places, near, sure = (np.asarray(part) for part in loaded.propose(pictures, size))
    np.testing.assert_array_equal(places, expected)
    np.testing.assert_allclose(near, offsets[tuple(expected.T)], atol=2e-5)
    np.testing.assert_allclose(sure, scores[tuple(expected.T)], atol=2e-5)


@pytest.mark.parametrize(("name", "stage", "side"), [("refine", "StageRNet", 24), ("judge", "StageONet", 48)])
def test_patches_are_judged_as_the_package_judges_them(
    loaded: networks.Networks, name: str, stage: str, side: int
) -> None:
    patches = noise(9, side, side, 3).astype(np.float32)
    expected = package(stage, f"{stage[5].lower()}net.lz4")((patches - 127.5) / 128)
    outputs = getattr(loaded, name)(patches)
    assert len(outputs) == len(expected)
    for ours, theirs in zip(outputs, expected, strict=True):
        np.testing.assert_allclose(np.asarray(ours), np.asarray(theirs), atol=2e-5)


def test_what_lies_outside_a_picture_is_of_the_middle_of_the_range(loaded: networks.Networks) -> None:
    patches = np.asarray(loaded.cut(np.full((20, 20, 3), 9, np.uint8), np.array([[-2, 0, -1, 1]], np.float32), 24))
    assert patches.shape == (1, 24, 24, 3)
    assert (patches == 127.5).all()

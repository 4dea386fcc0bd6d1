import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from facesieve.faces import pixels

BOXES = [((53, 48, 145, 145), 160), ((57.5, 50.5, 135, 135), 112), ((3.2, 7.9, 200.3, 180.1), 33)]


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height * width).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize(("box", "side"), BOXES)
def test_resample_agrees_with_pillow(box: tuple[float, float, float, float], side: int) -> None:
    image = noise(250, 250)
    left, top, width, height = box
    corners = (left, top, left + width, top + height)
    pillow = Image.fromarray(image).resize((side, side), Image.Resampling.BILINEAR, box=corners)
    assert np.abs(pixels.resample(image, box, (side, side)) - np.asarray(pillow)).max() <= 1.0


@given(st.integers(2, 20), st.integers(2, 20), st.integers(1, 30), st.integers(1, 30))
def test_resample_of_one_colour_is_that_colour(height: int, width: int, out_height: int, out_width: int) -> None:
    image = np.full((height, width, 3), 77, dtype=np.uint8)
    resized = pixels.resample(image, (-3.3, 1.2, width * 1.7, height * 2.1), (out_height, out_width))
    assert resized.shape == (out_height, out_width, 3)
    np.testing.assert_allclose(resized, 77, rtol=1e-5)


@given(st.integers(1, 40), st.integers(1, 40))
def test_resample_to_the_same_size_changes_nothing(height: int, width: int) -> None:
    image = noise(height, width)
    assert np.array_equal(pixels.resample(image, (0, 0, width, height), (height, width)), image)


def test_resample_repeats_the_edge_beyond_the_border() -> None:
    image = noise(20, 30)
    padded = np.pad(image, ((10, 10), (10, 10), (0, 0)), mode="edge")
    box, shifted = (-7.0, -4.0, 25.0, 25.0), (3.0, 6.0, 25.0, 25.0)
    assert np.array_equal(pixels.resample(image, box, (16, 16)), pixels.resample(padded, shifted, (16, 16)))


def test_resample_refuses_a_box_without_area() -> None:
    with pytest.raises(ValueError, match="no area"):
        pixels.resample(noise(9, 9), (0, 0, 0, 5), (4, 4))


def test_prewhiten_is_facenets_formula_per_crop() -> None:
    crops = np.stack([noise(8, 8), noise(8, 8) // 3]).astype(np.float32)
    expected = [(crop - crop.mean()) / max(crop.std(), 1 / np.sqrt(crop.size)) for crop in crops.astype(np.float64)]
    np.testing.assert_allclose(pixels.prewhiten(crops), expected, atol=1e-5)
    assert not pixels.prewhiten(np.full((1, 4, 4, 3), 9, dtype=np.float32)).any()


def test_sharpness_falls_with_blur() -> None:
    image = Image.fromarray(noise(64, 64))
    sharp = np.asarray(image, dtype=np.float32)
    blurred = np.asarray(image.reduce(4).resize((64, 64)), dtype=np.float32)
    assert pixels.sharpness(blurred) < pixels.sharpness(sharp) / 4


@given(st.floats(-30, 40), st.floats(0.5, 90), st.integers(1, 12), st.integers(1, 20))
def test_resample_is_the_triangle_filter_written_out(start: float, length: float, out: int, limit: int) -> None:
    image = noise(limit, limit)
    resized = pixels.resample(image, (start, start, length, length), (out, out))
    scale = length / out
    places, weights = np.arange(-200, 250), np.zeros((out, limit))
    for index in range(out):
        shares = np.maximum(0, 1 - np.abs(places + 0.5 - (start + (index + 0.5) * scale)) / max(1, scale))
        np.add.at(weights[index], np.clip(places, 0, limit - 1), shares)
    weights /= weights.sum(axis=1, keepdims=True)
    expected = np.einsum("ri,cj,ijk->rck", weights, weights, image.astype(float))
    np.testing.assert_allclose(resized, expected, atol=1e-2)

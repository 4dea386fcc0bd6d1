"""ONNX files: ONNX's own operators alone, whatever the order of the axes and the number of images at once."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import pytest
from onnx_models import DIMENSION, SIDE, crops, expected, node, profile, small, stored, tensor, value

from facesieve import models
from facesieve.core.errors import ModelError
from facesieve.models import embedder, runtime
from facesieve.models.formats import onnx
from facesieve.models.formats.batches import FixedBatch


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("batch", ["N", 1, 2, 4])
def test_both_orders_of_the_axes_and_any_batch_give_the_networks_numbers(last: bool, batch: Any) -> None:
    infer = onnx.load(stored(small(batch, last=last)), profile())
    for count in (5, 1, 2):
        np.testing.assert_allclose(infer(crops(count)), expected(crops(count)), rtol=1e-4, atol=1e-4)
    assert not isinstance(infer, FixedBatch), "nothing in this network is for one number of images"


@pytest.mark.parametrize("batch", [1, 2, 3])
def test_a_network_that_is_bound_to_its_batch_gets_so_many(batch: int) -> None:
    infer = onnx.load(stored(small(batch, reshape=batch)), profile())
    assert isinstance(infer, FixedBatch)
    np.testing.assert_allclose(infer(crops(5)), expected(crops(5)), rtol=1e-4, atol=1e-4)


def test_a_network_that_mixes_the_images_of_a_batch_is_refused() -> None:
    mean = [node("ReduceMean", ["vectors"], ["mean"], axes=[0]), node("Sub", ["vectors", "mean"], ["centred"])]
    model = small(2, reshape=2, nodes=mean, outputs=[value("centred", [2, DIMENSION])])
    with pytest.raises(ModelError, match="of 2 images at once, an image's numbers depend on the others"):
        onnx.load(stored(model), profile(output="centred"))


def test_inputs_that_no_node_uses_are_not_asked_for() -> None:
    idle = [value(f"weight_{number}_quantized", [3]) for number in range(29)]
    images = value("images", ["N", 3, SIDE, SIDE])
    filled = value("kernel", [4, 3, 3, 3])  # as files of before 2019 declare their weights
    model = small(inputs=[*idle[:9], images, filled, *idle[9:]])
    np.testing.assert_allclose(onnx.load(stored(model), profile())(crops(3)), expected(crops(3)), rtol=1e-4, atol=1e-4)
    told = onnx.facts(stored(model))
    assert told.inputs == (f"images float32 [?, 3, {SIDE}, {SIDE}]",)
    assert "29 more inputs are declared, which no node uses" in told.notes


def test_facts_are_the_files_own() -> None:
    told = onnx.facts(stored(small(2)))
    assert (told.input_size, told.dimension) == ((SIDE, SIDE), DIMENSION)
    assert told.outputs == (f"vectors float32 [2, {DIMENSION}]",)
    assert told.parameters == 4 * 3 * 3 * 3 + 4 * DIMENSION
    assert told.notes == (
        "it was converted for 2 images at a time",
        "it takes images as (3, height, width), into which they are brought",
    )
    assert not told.scales_input


def test_one_of_several_outputs_is_named() -> None:
    model = small(outputs=[value("positive", ["N", 4, SIDE - 2, SIDE - 2])])
    with pytest.raises(ModelError, match=r"does not name one of: vectors, positive"):
        onnx.load(stored(model), profile())
    assert onnx.load(stored(model), profile(output="vectors"))(crops(2)).shape == (2, DIMENSION)


def test_sides_of_one_behind_the_numbers_are_dropped() -> None:
    wider = [node("Unsqueeze", ["vectors", "places"], ["wide"])]
    model = small(
        nodes=wider, outputs=[value("wide", ["N", DIMENSION, 1, 1])], weights=[tensor("places", np.array([2, 3]))]
    )
    infer = onnx.load(stored(model), profile(output="wide"))
    np.testing.assert_allclose(infer(crops(3)), expected(crops(3)), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"dimension": 64}, "output is vectors"),
        ({"input": (SIDE + 1, SIDE)}, "input is images"),
        ({"output": "x"}, "'x'"),
    ],
)
def test_the_profile_must_fit(change: Any, words: str) -> None:
    with pytest.raises(ModelError, match=f"small: .*{words}"):
        onnx.read(stored(small()), profile(**change))


def test_an_input_of_other_numbers_is_refused() -> None:
    cast = [node("Cast", ["bytes"], ["images"], to=1)]
    model = small(first=cast, inputs=[value("bytes", ["N", 3, SIDE, SIDE], "UINT8")])
    with pytest.raises(ModelError, match="input is bytes uint8"):
        onnx.read(stored(model), profile())


def test_the_order_of_the_colours_is_the_profiles(monkeypatch: pytest.MonkeyPatch) -> None:
    model = small()
    images = np.random.default_rng(3).uniform(0, 255, (4, SIDE, SIDE, 3)).astype(np.float32)
    vectors = {}
    for order in ("rgb", "bgr"):
        loaded = embedder.prepared(stored(model), profile(model, channels=order))
        vectors[order] = loaded.raw(images)
    scaled = (images - 127.5) / 128
    np.testing.assert_allclose(vectors["rgb"], expected(scaled), rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(vectors["bgr"], expected(scaled[..., ::-1]), rtol=1e-3, atol=1e-3)


def test_a_model_that_is_not_normalised_keeps_its_lengths() -> None:
    model = small()
    images = np.random.default_rng(3).uniform(0, 255, (4, SIDE, SIDE, 3)).astype(np.float32)
    raw = embedder.prepared(stored(model), profile(model, unit_length=False)).embed(images)
    unit = embedder.prepared(stored(model), profile(model)).embed(images)
    np.testing.assert_allclose(raw, expected((images - 127.5) / 128), rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(unit, raw / np.linalg.norm(raw, axis=1, keepdims=True), atol=1e-5)


def test_a_refused_file_does_not_reach_onnxruntime(monkeypatch: pytest.MonkeyPatch) -> None:
    model = small()
    model.graph.node[1].domain = "com.example"
    monkeypatch.setattr(onnx, "_session", None)
    with pytest.raises(ModelError, match=r"Relu of the domain com\.example"):
        onnx.load(stored(model), profile())
    assert onnx.facts(stored(model)).dimension == DIMENSION


@pytest.mark.parametrize("at", [9, 40, 0.3, 0.6, 0.9])
def test_a_cut_file_is_a_sentence(at: float) -> None:
    content = small().SerializeToString()
    place = at if isinstance(at, int) else int(len(content) * at)
    with pytest.raises(ModelError, match=r"cannot be parsed|does not name|cannot be read|cannot be loaded"):
        onnx.load(stored(content[:place]), profile())


def test_the_whole_way_from_a_file(tmp_path: Any) -> None:
    content = small().SerializeToString()
    (tmp_path / "small.onnx").write_bytes(content)
    here = profile(content, **{"output": "vectors"})
    here = type(here)(**{**vars(here), "file": str(tmp_path / "small.onnx")})
    models.check(here)
    images = np.random.default_rng(3).uniform(0, 255, (2, SIDE, SIDE, 3)).astype(np.float32)
    vectors = models.load(here).embed(images)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("package", ["onnx", "onnxruntime"])
def test_an_absent_package_is_named(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    content = small().SerializeToString()
    there = importlib.util.find_spec
    runtime.onnx_package.cache_clear()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == package else there(name))
    with pytest.raises(ModelError, match=rf"need the package {package}: install facesieve\[onnx\]"):
        onnx.load(stored(content), profile())
    runtime.onnx_package.cache_clear()

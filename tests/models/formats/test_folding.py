"""Folding against the network as it stands, by its own operations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from facesieve.models import runtime
from facesieve.models.formats.folding import folded
from facesieve.models.formats.keras_network import Network, forward
from facesieve.models.formats.layer_rules import Layer

RNG = np.random.default_rng(3)
PLANE: dict[str, Any] = {"strides": [1, 1], "padding": "same"}


def floats(*shape: int) -> Any:
    return RNG.normal(size=shape).astype(np.float32)


def norm(name: str, before: str, width: int, *, scaled: bool = True, axis: Any = -1) -> Layer:
    weights = {"moving_mean": floats(width), "moving_variance": np.square(floats(width)) + 0.1, "beta": floats(width)}
    config = {"axis": axis, "epsilon": 0.001}
    return Layer(name, "BatchNormalization", config, (before,), weights | ({"gamma": floats(width)} if scaled else {}))


def convolution(name: str, before: str, *, bias: bool = False, activation: str = "linear") -> Layer:
    weights = {"kernel": floats(3, 3, 3, 3)} | ({"bias": floats(3)} if bias else {})
    return Layer(name, "Conv2D", {**PLANE, "activation": activation}, (before,), weights)


def dense(name: str, before: str) -> Layer:
    return Layer(name, "Dense", {"activation": "linear"}, (before,), {"kernel": floats(75, 4)})


CROPS, FLAT = Layer("crops", "InputLayer", {}, (), {}), Layer("flat", "Flatten", {}, ("second",), {})
WHOLE = (
    CROPS,
    convolution("first", "crops", bias=True),
    norm("first norm", "first", 3, axis=[3]),
    convolution("second", "first norm"),
    FLAT,
    dense("dense", "flat"),
    norm("vectors", "dense", 4, scaled=False),
)


def computed(layers: tuple[Layer, ...], output: str) -> Any:
    tf, batch = runtime.tensorflow(), np.random.default_rng(4).normal(size=(2, 5, 5, 3)).astype(np.float32)
    return np.asarray(forward(tf, Network(layers, (output,)))(batch))


def test_a_folded_network_computes_the_same_without_its_norms() -> None:
    layers = folded(WHOLE, "vectors")
    assert [layer.name for layer in layers] == [layer.name for layer in WHOLE]
    assert not any(layer.kind == "BatchNormalization" for layer in layers)
    np.testing.assert_allclose(computed(layers, "vectors"), computed(WHOLE, "vectors"), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "layers",
    [
        (CROPS, norm("out", "crops", 3)),
        (CROPS, convolution("first", "crops", activation="relu"), norm("out", "first", 3)),
        (CROPS, convolution("first", "crops"), norm("out", "first", 3, axis=1)),
        (CROPS, convolution("first", "crops"), norm("out", "first", 1)),
    ],
    ids=["after no product", "after an activation", "over another axis", "of another width"],
)
def test_what_cannot_be_folded_stays(layers: tuple[Layer, ...]) -> None:
    assert folded(layers, "out") == layers


def test_a_layer_that_others_read_too_stays_as_it_is() -> None:
    first, after = convolution("first", "crops"), norm("norm", "first", 3)
    both = Layer("sum", "Add", {}, ("first", "norm"), {})
    assert folded((CROPS, first, after, both), "sum") == (CROPS, first, after, both)
    assert folded((CROPS, first, after), "first") == (CROPS, first, after)

"""Each accepted layer against plain NumPy; `test_keras` compares whole networks with Keras itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from facesieve.core.errors import ModelError
from facesieve.models import runtime
from facesieve.models.formats.layer_rules import Layer
from facesieve.models.formats.layers import ALLOWED

POOLED = {"pool_size": [2, 2], "strides": None, "padding": "valid"}
PLANES = np.random.default_rng(0).normal(size=(2, 4, 6, 3)).astype(np.float32)
NUMBERS = {name: np.array([0.5, -1.0, 2.0], np.float32) for name in ("beta", "gamma", "moving_mean")}
VARIANCE = np.array([1.0, 4.0, 0.25], np.float32)


def computed(kind: str, config: dict[str, Any], weights: dict[str, Any] | None = None, inputs: int = 1) -> Any:
    layer = Layer("it", kind, config, ("before",) * inputs, weights or {})
    tf = runtime.tensorflow()
    return ALLOWED[kind].build(tf, layer, [tf.constant(PLANES)] * inputs).numpy()


@pytest.mark.parametrize(
    ("kind", "config", "inputs", "expected"),
    [
        ("Activation", {"activation": "relu"}, 1, np.maximum(PLANES, 0)),
        ("ReLU", {"max_value": 0.5, "negative_slope": 0.1}, 1, np.minimum(np.maximum(PLANES, 0.1 * PLANES), 0.5)),
        ("GlobalAveragePooling2D", {}, 1, PLANES.mean(axis=(1, 2))),
        (
            "MaxPooling2D",
            POOLED,
            1,
            PLANES.reshape(2, 2, 2, 3, 2, 3).max(axis=(2, 4)),
        ),
        ("Flatten", {}, 1, PLANES.reshape(2, -1)),
        ("ZeroPadding2D", {"padding": [[1, 0], [0, 2]]}, 1, np.pad(PLANES, [(0, 0), (1, 0), (0, 2), (0, 0)])),
        ("Rescaling", {"scale": 2.0, "offset": 1.0}, 1, PLANES * 2 + 1),
        ("Add", {}, 2, PLANES * 2),
        ("Concatenate", {"axis": -1}, 2, np.concatenate([PLANES, PLANES], axis=-1)),
        ("Lambda", {"arguments": {"scale": 0.5}}, 2, PLANES * 1.5),
        ("Dropout", {"rate": 0.5}, 1, PLANES),
    ],
)
def test_a_layer_computes_what_its_name_says(kind: str, config: dict[str, Any], inputs: int, expected: Any) -> None:
    np.testing.assert_allclose(computed(kind, config, inputs=inputs), expected, rtol=1e-5, atol=1e-6)


def test_a_norm_uses_the_stored_statistics() -> None:
    weights = NUMBERS | {"moving_variance": VARIANCE}
    expected = (PLANES - NUMBERS["moving_mean"]) / np.sqrt(VARIANCE + 1e-3) * NUMBERS["gamma"] + NUMBERS["beta"]
    np.testing.assert_allclose(
        computed("BatchNormalization", {"axis": [3], "epsilon": 1e-3}, weights), expected, rtol=1e-4, atol=1e-5
    )
    with pytest.raises(ModelError, match="axis 1 is not the last"):
        computed("BatchNormalization", {"axis": 1, "epsilon": 1e-3}, weights)
    with pytest.raises(ModelError, match="its weights are for 1 channels, it is given 3"):
        computed("BatchNormalization", {"axis": 3, "epsilon": 1e-3}, weights | {"beta": np.zeros(1, np.float32)})

"""The allow-list: the Keras layers that a model file may use, each as plain TensorFlow operations for inference."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from facesieve.models.network import Floats

_ACTIVATIONS = ("linear", "relu")
_SCALED_SUM = "_ScaleSum"


@dataclass(frozen=True)
class Layer:
    """One layer: its name, its Keras class, its configuration, the layers it reads and its weights by short name."""

    name: str
    kind: str
    config: Mapping[str, Any]
    inputs: tuple[str, ...]
    weights: Mapping[str, Floats]


Weights = Callable[[Mapping[str, Any]], set[str]]
Refuse = Callable[[Layer], str | None]
Build = Callable[[Any, Layer, Sequence[Any]], Any]


def _no_weights(config: Mapping[str, Any]) -> set[str]:
    return set()


def _kernel_weights(config: Mapping[str, Any]) -> set[str]:
    return {"kernel", "bias"} if config["use_bias"] else {"kernel"}


def _norm_weights(config: Mapping[str, Any]) -> set[str]:
    optional = {"beta": config["center"], "gamma": config["scale"]}
    return {"moving_mean", "moving_variance", *(name for name, there in optional.items() if there)}


def _accept(layer: Layer) -> str | None:
    return None


def _refuse_activation(layer: Layer) -> str | None:
    given = layer.config["activation"]
    return None if given in _ACTIVATIONS else f"activation {given!r} is not accepted"


def _refuse_planes(layer: Layer) -> str | None:
    """Refuse what changes the meaning of a layer over planes: channels first, groups, dilation, odd padding."""
    config = layer.config
    if config.get("data_format", "channels_last") != "channels_last":
        return "data_format is not channels_last"
    if config.get("groups", 1) != 1 or list(config.get("dilation_rate", [1, 1])) != [1, 1]:
        return "groups and dilation are not accepted"
    if config.get("padding", "valid") not in ("valid", "same"):
        return f"padding {config['padding']!r} is not accepted"
    return _refuse_activation(layer) if "activation" in config else None


def _refuse_lambda(layer: Layer) -> str | None:
    """Accept the scaled sum alone: by name, its one argument and two inputs."""
    arguments = layer.config.get("arguments")
    fine = (
        layer.name.endswith(_SCALED_SUM)
        and isinstance(arguments, Mapping)
        and set(arguments) == {"scale"}
        and isinstance(arguments["scale"], float)
        and math.isfinite(arguments["scale"])
        and len(layer.inputs) == 2
    )
    return None if fine else f"a Lambda is accepted only as NAME{_SCALED_SUM} of two inputs with the argument scale"


def _activate(tf: Any, name: str, tensor: Any) -> Any:
    return tf.nn.relu(tensor) if name == "relu" else tensor


def _convolution(tf: Any, layer: Layer, inputs: Sequence[Any]) -> Any:
    strides, padding = list(layer.config["strides"]), layer.config["padding"].upper()
    result = tf.nn.conv2d(inputs[0], tf.constant(layer.weights["kernel"]), strides, padding)
    if "bias" in layer.weights:
        result = tf.nn.bias_add(result, tf.constant(layer.weights["bias"]))
    return _activate(tf, layer.config["activation"], result)


def _dense(tf: Any, layer: Layer, inputs: Sequence[Any]) -> Any:
    result = tf.linalg.matmul(inputs[0], tf.constant(layer.weights["kernel"]))
    if "bias" in layer.weights:
        result = result + tf.constant(layer.weights["bias"])
    return _activate(tf, layer.config["activation"], result)


def _norm(tf: Any, layer: Layer, inputs: Sequence[Any]) -> Any:
    """Batch normalisation with the stored mean and variance, over the last axis."""
    weights, epsilon = layer.weights, layer.config["epsilon"]
    return tf.nn.batch_normalization(
        inputs[0],
        tf.constant(weights["moving_mean"]),
        tf.constant(weights["moving_variance"]),
        tf.constant(weights["beta"]) if "beta" in weights else None,
        tf.constant(weights["gamma"]) if "gamma" in weights else None,
        epsilon,
    )


def _refuse_norm(layer: Layer) -> str | None:
    axis = layer.config["axis"]
    last = axis[0] if isinstance(axis, list) and len(axis) == 1 else axis
    return None if last in (-1, 3) else f"axis {axis} is not the last"


def _pool(tf: Any, layer: Layer, inputs: Sequence[Any]) -> Any:
    config = layer.config
    return tf.nn.max_pool2d(inputs[0], list(config["pool_size"]), list(config["strides"]), config["padding"].upper())


def _concatenate(tf: Any, layer: Layer, inputs: Sequence[Any]) -> Any:
    return tf.concat(list(inputs), layer.config["axis"])


@dataclass(frozen=True)
class Operation:
    """A layer's kind: which weights it has, why an instance is refused (None: it is not), and how it computes."""

    weights: Weights
    refuse: Refuse
    build: Build


ALLOWED: Mapping[str, Operation] = {
    "InputLayer": Operation(_no_weights, _accept, lambda tf, layer, inputs: inputs[0]),
    "Conv2D": Operation(_kernel_weights, _refuse_planes, _convolution),
    "Dense": Operation(_kernel_weights, _refuse_activation, _dense),
    "BatchNormalization": Operation(_norm_weights, _refuse_norm, _norm),
    "Activation": Operation(
        _no_weights,
        _refuse_activation,
        lambda tf, layer, inputs: _activate(tf, layer.config["activation"], inputs[0]),
    ),
    "MaxPooling2D": Operation(_no_weights, _refuse_planes, _pool),
    "GlobalAveragePooling2D": Operation(
        _no_weights, _refuse_planes, lambda tf, layer, inputs: tf.reduce_mean(inputs[0], [1, 2])
    ),
    "Concatenate": Operation(_no_weights, _accept, _concatenate),
    "Add": Operation(_no_weights, _accept, lambda tf, layer, inputs: tf.add_n(list(inputs))),
    "Lambda": Operation(
        _no_weights,
        _refuse_lambda,
        lambda tf, layer, inputs: inputs[0] + layer.config["arguments"]["scale"] * inputs[1],
    ),
    "Dropout": Operation(_no_weights, _accept, lambda tf, layer, inputs: inputs[0]),
}

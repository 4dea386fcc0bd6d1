"""The allow-list: the Keras layers that a model file may use, each as plain TensorFlow operations for inference."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from facesieve.core.errors import ModelError
from facesieve.models.formats import layer_rules as rules
from facesieve.models.formats.layer_rules import Layer, Refuse, Shapes

Build = Callable[[Any, Layer, Sequence[Any]], Any]


@dataclass(frozen=True)
class Operation:
    """A layer's kind: which weights it has, why an instance is refused (None: it is not), and how it computes.

    `keeps_width`: the last axis of its output is as long as that of its first input.
    """

    weights: Shapes
    refuse: Refuse
    build: Build
    keeps_width: bool = True


def _check_width(layer: Layer, tensor: Any, width: int) -> None:
    """TensorFlow would stretch a weight of length 1, or take a deeper input for a convolution in groups."""
    if tensor.shape[-1] != width:
        raise ModelError(f"Layer {layer.name}: its weights are for {width} channels, it is given {tensor.shape[-1]}.")


def _activate(tf: Any, name: str, tensor: Any) -> Any:
    return tf.nn.relu(tensor) if name == "relu" else tensor


def _finish(tf: Any, layer: Layer, tensor: Any) -> Any:
    if "bias" in layer.weights:
        tensor = tf.nn.bias_add(tensor, tf.constant(layer.weights["bias"]))
    return _activate(tf, layer.config["activation"], tensor)


def _convolution(tf: Any, layer: Layer, inputs: Sequence[Any]) -> Any:
    kernel = layer.weights["kernel"]
    _check_width(layer, inputs[0], kernel.shape[2])
    strides, padding = list(layer.config["strides"]), layer.config["padding"].upper()
    return _finish(tf, layer, tf.nn.conv2d(inputs[0], tf.constant(kernel), strides, padding))


def _depthwise(tf: Any, layer: Layer, inputs: Sequence[Any]) -> Any:
    kernel = layer.weights["kernel"]
    _check_width(layer, inputs[0], kernel.shape[2])
    strides, padding = [1, *layer.config["strides"], 1], layer.config["padding"].upper()
    return _finish(tf, layer, tf.nn.depthwise_conv2d(inputs[0], tf.constant(kernel), strides, padding))


def _dense(tf: Any, layer: Layer, inputs: Sequence[Any]) -> Any:
    return _finish(tf, layer, tf.linalg.matmul(inputs[0], tf.constant(layer.weights["kernel"])))


def _norm(tf: Any, layer: Layer, inputs: Sequence[Any]) -> Any:
    """Batch normalisation with the stored mean and variance, over the last axis."""
    weights, axis = layer.weights, layer.config["axis"]
    rank = inputs[0].shape.rank
    if (axis[0] if isinstance(axis, list) else axis) not in (-1, rank - 1):
        raise ModelError(f"Layer {layer.name}: axis {axis} is not the last.")
    for array in weights.values():
        _check_width(layer, inputs[0], len(array))
    return tf.nn.batch_normalization(
        inputs[0],
        tf.constant(weights["moving_mean"]),
        tf.constant(weights["moving_variance"]),
        tf.constant(weights["beta"]) if "beta" in weights else None,
        tf.constant(weights["gamma"]) if "gamma" in weights else None,
        layer.config["epsilon"],
    )


def _slopes(tf: Any, layer: Layer, inputs: Sequence[Any]) -> Any:
    """PReLU: x above 0, alpha x below."""
    alpha, shared = layer.weights["alpha"], layer.config["shared_axes"] or []
    sides = [1 if axis in shared else side for axis, side in enumerate(inputs[0].shape[1:], start=1)]
    if list(alpha.shape) != sides:
        raise ModelError(f"Layer {layer.name}: alpha is {list(alpha.shape)}, its input needs {sides}.")
    return tf.nn.relu(inputs[0]) - tf.constant(alpha) * tf.nn.relu(-inputs[0])


def _bend(tf: Any, layer: Layer, inputs: Sequence[Any]) -> Any:
    most, slope = layer.config.get("max_value"), layer.config.get("negative_slope") or 0.0
    result = tf.nn.relu(inputs[0]) if slope == 0 else tf.nn.relu(inputs[0]) - slope * tf.nn.relu(-inputs[0])
    return result if most is None else tf.minimum(result, float(most))


def _pool(kind: str) -> Build:
    def build(tf: Any, layer: Layer, inputs: Sequence[Any]) -> Any:
        size = list(layer.config["pool_size"])
        strides = list(layer.config["strides"] or size)
        return getattr(tf.nn, kind)(inputs[0], size, strides, layer.config["padding"].upper())

    return build


def _mean(tf: Any, layer: Layer, inputs: Sequence[Any]) -> Any:
    return tf.reduce_mean(inputs[0], [1, 2], keepdims=bool(layer.config.get("keepdims")))


def _flatten(tf: Any, layer: Layer, inputs: Sequence[Any]) -> Any:
    return tf.reshape(inputs[0], [-1, math.prod(inputs[0].shape[1:])])


def _pad(tf: Any, layer: Layer, inputs: Sequence[Any]) -> Any:
    return tf.pad(inputs[0], [[0, 0], *layer.config["padding"], [0, 0]])


def _unit(tf: Any, layer: Layer, inputs: Sequence[Any]) -> Any:
    return tf.math.l2_normalize(inputs[0], layer.config["axis"])


def _scale(tf: Any, layer: Layer, inputs: Sequence[Any]) -> Any:
    return inputs[0] * float(layer.config["scale"]) + float(layer.config["offset"])


def _scaled_sum(tf: Any, layer: Layer, inputs: Sequence[Any]) -> Any:
    return inputs[0] + layer.config["arguments"]["scale"] * inputs[1]


def _same(tf: Any, layer: Layer, inputs: Sequence[Any]) -> Any:
    return inputs[0]


def _concatenate(tf: Any, layer: Layer, inputs: Sequence[Any]) -> Any:
    return tf.concat(list(inputs), layer.config["axis"])


def _add(tf: Any, layer: Layer, inputs: Sequence[Any]) -> Any:
    return tf.add_n(list(inputs))


def _activation(tf: Any, layer: Layer, inputs: Sequence[Any]) -> Any:
    return _activate(tf, layer.config["activation"], inputs[0])


ALLOWED: Mapping[str, Operation] = {
    "InputLayer": Operation(rules.no_weights, rules.accept, _same, keeps_width=False),
    "Conv2D": Operation(rules.conv_weights, rules.refuse_planes, _convolution),
    "DepthwiseConv2D": Operation(rules.depthwise_weights, rules.refuse_planes, _depthwise),
    "Dense": Operation(rules.dense_weights, rules.refuse_activation, _dense),
    "BatchNormalization": Operation(rules.norm_weights, rules.refuse_axis, _norm),
    "UnitNormalization": Operation(rules.no_weights, rules.refuse_axis, _unit),
    "Activation": Operation(rules.no_weights, rules.refuse_activation, _activation),
    "ReLU": Operation(rules.no_weights, rules.refuse_bends, _bend),
    "PReLU": Operation(rules.slope_weights, rules.accept, _slopes),
    "MaxPooling2D": Operation(rules.no_weights, rules.refuse_planes, _pool("max_pool2d")),
    "AveragePooling2D": Operation(rules.no_weights, rules.refuse_planes, _pool("avg_pool2d")),
    "GlobalAveragePooling2D": Operation(rules.no_weights, rules.refuse_planes, _mean),
    "ZeroPadding2D": Operation(rules.no_weights, rules.refuse_padding, _pad),
    "Flatten": Operation(rules.no_weights, rules.refuse_planes, _flatten, keeps_width=False),
    "Concatenate": Operation(rules.no_weights, rules.refuse_axis, _concatenate, keeps_width=False),
    "Add": Operation(rules.no_weights, rules.accept, _add),
    "Rescaling": Operation(rules.no_weights, rules.refuse_scaling, _scale),
    "Dropout": Operation(rules.no_weights, rules.accept, _same),
    "Lambda": Operation(rules.no_weights, rules.refuse_lambda, _scaled_sum),
}

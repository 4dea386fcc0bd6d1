"""Batch normalisation folded into the layer before it: fewer operations, and nothing left for TensorFlow to fold.

TensorFlow does the same by itself when a graph is first run, which takes longer than all else about loading a model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from facesieve.models.formats.layer_rules import Layer

_LINEAR = ("Conv2D", "Dense")
_NOTHING = "Dropout"
"""The kind of layer that gives what it reads."""


def folded(layers: Iterable[Layer], output: str) -> tuple[Layer, ...]:
    """Fold every normalisation that alone reads a convolution or a dense layer without activation.

    layers: each after those it reads; `output`: the one whose result is wanted. -> layers of the same names, which
    compute the same up to rounding. What does not fit (another axis, other widths) stays as it is.
    """
    by_name = {layer.name: layer for layer in layers}
    readers = Counter([output, *(name for layer in by_name.values() for name in layer.inputs)])
    for layer in list(by_name.values()):
        before = by_name[layer.inputs[0]] if layer.inputs else layer
        if layer.kind == "BatchNormalization" and readers[before.name] == 1 and _fits(before, layer):
            by_name[before.name] = _absorbed(before, layer)
            by_name[layer.name] = replace(layer, kind=_NOTHING, weights={})
    return tuple(by_name.values())


def _fits(before: Layer, norm: Layer) -> bool:
    if before.kind not in _LINEAR or before.config["activation"] != "linear":
        return False
    axis, rank = norm.config["axis"], before.weights["kernel"].ndim
    last = (axis[0] if isinstance(axis, list) else axis) in (-1, rank - 1)
    return last and all(len(own) == before.weights["kernel"].shape[-1] for own in norm.weights.values())


def _absorbed(before: Layer, norm: Layer) -> Layer:
    """The layer with the normalisation's scale in its kernel and the shift in its bias."""
    weights = {name: array.astype(np.float64) for name, array in norm.weights.items()}
    scale = weights.get("gamma", 1.0) / np.sqrt(weights["moving_variance"] + norm.config["epsilon"])
    bias = (before.weights.get("bias", 0.0) - weights["moving_mean"]) * scale + weights.get("beta", 0.0)
    kernel = before.weights["kernel"] * scale
    return replace(before, weights={"kernel": kernel.astype(np.float32), "bias": bias.astype(np.float32)})

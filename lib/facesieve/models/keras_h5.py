"""Keras models in HDF5, read as data: the layers from an allow-list, the weights by name, no code of the file run.

A Lambda layer is accepted when it is the scaled sum of Inception-ResNet, by its name (`..._ScaleSum`), its one
argument `scale` and its two inputs: x0 + scale * x1. The marshalled function beside it is never read.
Both spellings of `model_config` are understood, that of Keras 2 and that of Keras 3.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np

from facesieve.errors import ModelError
from facesieve.models import runtime
from facesieve.models.layers import ALLOWED, Layer
from facesieve.models.network import Floats, Infer
from facesieve.profiles import Profile


@dataclass(frozen=True)
class Network:
    """The layers of a model, each after those it reads, and the name of the one whose output is the vector."""

    layers: tuple[Layer, ...]
    output: str

    @property
    def parameters(self) -> int:
        """How many numbers the weights are."""
        return sum(array.size for layer in self.layers for array in layer.weights.values())


def read(content: bytes, profile: Profile) -> Network:
    """Read a network out of the bytes of an HDF5 file. Needs no TensorFlow.

    Raises ModelError naming the layer that is not accepted, or what else does not fit the profile.
    """
    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            config = json.loads(file.attrs["model_config"])["config"]
            group = file["model_weights"]
            layers = tuple(_layer(entry, group) for entry in config["layers"])
            output = profile.output or _only(config["output_layers"])
    except (OSError, KeyError, IndexError, TypeError, ValueError, AttributeError) as problem:
        raise ModelError(f"{profile.name}: not a Keras model that can be read ({problem!r})") from None
    _check_order(layers)
    _check_shapes(layers, output, profile)
    return Network(layers, output)


def load(content: bytes, profile: Profile) -> Infer:
    """Make a TensorFlow function of a Keras HDF5 file: float32 [N, H, W, 3] -> float32 [N, D].

    Raises ModelError as `read` does.
    """
    network = read(content, profile)
    tf = runtime.tensorflow()

    def forward(batch: Any) -> Any:
        tensors: dict[str, Any] = {}
        for layer in network.layers:
            inputs = [tensors[name] for name in layer.inputs]
            tensors[layer.name] = ALLOWED[layer.kind].build(tf, layer, inputs) if inputs else batch
        return tensors[network.output]

    signature = [tf.TensorSpec([None, *profile.input, 3], tf.float32)]
    function = tf.function(forward, input_signature=signature, autograph=False).get_concrete_function()
    return lambda batch: np.asarray(function(tf.constant(batch)).numpy())


def _layer(entry: Mapping[str, Any], group: Any) -> Layer:
    config, kind = entry["config"], entry["class_name"]
    name = entry.get("name", config["name"])
    if kind not in ALLOWED:
        raise ModelError(f"Layer {name} is a {kind}, which is not accepted. Accepted: {', '.join(ALLOWED)}.")
    inputs = _inputs(name, entry["inbound_nodes"])
    layer = Layer(name, kind, config, inputs, _weights(name, group))
    problem = ALLOWED[kind].refuse(layer)
    if problem:
        raise ModelError(f"Layer {name} ({kind}): {problem}.")
    for weight in sorted(ALLOWED[kind].weights(config).symmetric_difference(layer.weights)):
        said = "is missing" if weight not in layer.weights else "has no place in it"
        raise ModelError(f"Layer {name} ({kind}): weight {weight} {said}.")
    return layer


def _inputs(name: str, nodes: list[Any]) -> tuple[str, ...]:
    """Names of the layers that a layer reads, from the spelling of Keras 2 or of Keras 3."""
    if len(nodes) > 1:
        raise ModelError(f"Layer {name} is used {len(nodes)} times; one use is accepted.")
    if not nodes:
        return ()
    if isinstance(nodes[0], Mapping):
        given = nodes[0]["args"][0]
        tensors = given if isinstance(given, list) else [given]
        histories = [tensor["config"]["keras_history"] for tensor in tensors]
    else:
        histories = nodes[0]
    if any(list(history[1:3]) != [0, 0] for history in histories):
        raise ModelError(f"Layer {name} reads an output that is not the first of its layer.")
    return tuple(str(history[0]) for history in histories)


def _weights(name: str, group: Any) -> dict[str, Floats]:
    """The weights of one layer by the last part of their name (`kernel`, `moving_mean`, ...)."""
    if name not in group:
        return {}
    weights = {}
    for raw in group[name].attrs["weight_names"]:
        stored = raw.decode() if isinstance(raw, bytes) else str(raw)
        array = np.asarray(group[name][stored])
        if array.dtype.kind != "f" or not np.isfinite(array).all():
            raise ModelError(f"Layer {name}: weight {stored} holds what is not a finite number.")
        weights[stored.rpartition("/")[2].partition(":")[0]] = array.astype(np.float32)
    return weights


def _only(outputs: list[Any]) -> str:
    """The one output of a model: [[name, 0, 0]], or [name, 0, 0] as Keras 3 writes a single one."""
    first = outputs if isinstance(outputs[0], str) else outputs[0]
    if not isinstance(outputs[0], str) and len(outputs) != 1:
        raise ModelError(f"The model has {len(outputs)} outputs: name one as `output` in the profile.")
    return str(first[0])


def _check_order(layers: tuple[Layer, ...]) -> None:
    known: set[str] = set()
    for layer in layers:
        missing = [name for name in layer.inputs if name not in known]
        if missing or layer.name in known:
            raise ModelError(f"Layer {layer.name} is there twice, or reads {missing} that do not stand before it.")
        known.add(layer.name)


def _check_shapes(layers: tuple[Layer, ...], output: str, profile: Profile) -> None:
    inputs = [layer for layer in layers if not layer.inputs]
    sizes = [layer.config.get("batch_input_shape", layer.config.get("batch_shape")) for layer in inputs]
    if sizes != [[None, *profile.input, 3]]:
        raise ModelError(f"{profile.name}: input is {sizes}, the profile says one [{profile.input}].")
    last = [layer for layer in layers if layer.name == output]
    if not last:
        raise ModelError(f"{profile.name}: output {output!r} is not a layer of the model.")
    widths = {array.shape[-1] for array in last[0].weights.values()}
    if widths and widths != {profile.dimension}:
        raise ModelError(f"{profile.name}: output has {max(widths)} numbers, the profile says {profile.dimension}.")

"""The two ends of a model as its files name them, read without asking whether the model is accepted.

Whoever is told that a model cannot be used sees so what it takes and gives.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from facesieve.core.errors import ModelError
from facesieve.models.files import ModelFiles
from facesieve.models.formats import checkpoint, graphs, hdf5, keras, onnx, tflite

_SHOWN = 12
"""Tensors of one end that are told: the graph of a training has hundreds that nothing reads."""

_PLACEHOLDERS = ("Placeholder", "PlaceholderWithDefault")


@dataclass(frozen=True)
class Outline:
    """Inputs and outputs, each as `name float32 [?, 160, 160, 3]`, as far as the files tell."""

    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()


def outline(files: ModelFiles, form: str) -> Outline:
    """Read the ends of a model of one of `profiles.FORMS`; an empty outline where not even they can be read."""
    try:
        return _READERS[form](files)
    except (ModelError, *hdf5.UNREADABLE):
        return Outline()


def _tflite(files: ModelFiles) -> Outline:
    facts = tflite.facts(files)
    return Outline(facts.inputs, facts.outputs)


def _onnx(files: ModelFiles) -> Outline:
    facts = onnx.facts(files)
    return Outline(facts.inputs, facts.outputs)


def _frozen_graph(files: ModelFiles) -> Outline:
    return _of_graph(graphs.parse(files.single, "GraphDef"))


def _checkpoint(files: ModelFiles) -> Outline:
    return _of_graph(graphs.parse(files.contents[checkpoint.names(files)[0]], "MetaGraphDef").graph_def)


def _saved_model(files: ModelFiles) -> Outline:
    saved = graphs.parse(files.contents["saved_model.pb"], "SavedModel")
    signatures = [entry for meta in saved.meta_graphs for entry in meta.signature_def.values()]
    ends = (
        [tensor for signature in signatures for tensor in getattr(signature, end).values()]
        for end in ("inputs", "outputs")
    )
    shown = [
        tuple(sorted({_tensor(info.name, info.dtype, graphs.sides_of(info.tensor_shape)) for info in end if info.name}))
        for end in ends
    ]
    return Outline(shown[0][:_SHOWN], shown[1][:_SHOWN])


def _of_graph(definition: Any) -> Outline:
    """Inputs are placeholders and `input`; outputs are `embeddings`, else the nodes that nothing reads."""
    read = {name.lstrip("^").partition(":")[0] for node in definition.node for name in node.input}
    sources = [node for node in definition.node if node.op in _PLACEHOLDERS or f"{node.name}:0" == graphs.INPUT]
    named = [node for node in definition.node if f"{node.name}:0" == graphs.OUTPUT]
    targets = named or [node for node in definition.node if node.name not in read and node.op not in ("NoOp", "Const")]
    return Outline(*(tuple(map(_node, end[:_SHOWN])) for end in (sources, targets)))


def _node(node: Any) -> str:
    shapes = node.attr["_output_shapes"].list.shape
    stated = shapes[0] if shapes else node.attr["shape"].shape if node.attr["shape"].HasField("shape") else None
    kind = node.attr["dtype"].type or node.attr["T"].type
    return _tensor(f"{node.name}:0", kind, None if stated is None else graphs.sides_of(stated))


def _tensor(name: str, kind: int, shape: graphs.Shape) -> str:
    return graphs.described(name, graphs.KINDS.get(kind, f"type {kind}"), shape)


def _keras_h5(files: ModelFiles) -> Outline:
    with hdf5.opened(files.single) as file:
        return _of_layers(json.loads(file.attrs["model_config"])["config"])


def _keras(files: ModelFiles) -> Outline:
    return _of_layers(json.loads(keras.members(files.single, str(files.root))["config.json"])["config"])


def _of_layers(config: Mapping[str, Any]) -> Outline:
    """Input layers with their shapes, and the layers whose output is the model's."""
    layers = {str(layer.get("name", layer["config"].get("name"))): layer for layer in config["layers"]}
    inputs = [f"{name} {_sides(layer)}" for name, layer in layers.items() if layer["class_name"] == "InputLayer"]
    ends = config.get("output_layers") or [next(reversed(layers))]
    several = [ends] if isinstance(ends[0], str) and len(ends) == 3 else ends
    names = [str(end if isinstance(end, str) else end[0]) for end in several]
    outputs = (f"{name} ({layers[name]['class_name']})" for name in names)
    return Outline(tuple(inputs[:_SHOWN]), tuple(outputs))


def _sides(layer: Mapping[str, Any]) -> str:
    size = layer["config"].get("batch_shape") or layer["config"].get("batch_input_shape") or ()
    return f"[{', '.join('?' if side is None else str(side) for side in size)}]"


_READERS: Mapping[str, Callable[[ModelFiles], Outline]] = {
    "tflite": _tflite,
    "onnx": _onnx,
    "frozen_graph": _frozen_graph,
    "checkpoint": _checkpoint,
    "saved_model": _saved_model,
    "keras_h5": _keras_h5,
    "keras": _keras,
}

"""What stands in an ONNX file, read without running it: the inputs that count, outputs, weights, order of the axes.

`read` tells what the file says of itself, whatever it holds. `refuse` is what keeps a file from being run, `cut` makes
what is run: the part between input and one output alone, for any number of images or for the file's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from facesieve.core.errors import ModelError
from facesieve.models import runtime
from facesieve.models.formats import onnx_ops
from facesieve.models.formats.graphs import Shape, described

_FLOATS = ("FLOAT", "FLOAT16", "DOUBLE", "BFLOAT16")
_WEIGHTS = (*_FLOATS, "INT8", "UINT8")
_TO_CHANNELS_FIRST = [0, 3, 1, 2]
_FEWEST_IR = 4
"""Version of the format since which a weight is no input as well, whose value somebody may replace."""


@dataclass(frozen=True)
class Tensor:
    """A tensor: name, kind (`FLOAT`), shape with None for sides that are left open; None where not even the rank is."""

    name: str
    kind: str
    shape: Shape

    def __str__(self) -> str:
        kind = {"FLOAT": "float32", "DOUBLE": "float64"}.get(self.kind, self.kind.lower())
        return described(self.name, kind, self.shape)


@dataclass(frozen=True)
class Network:
    """A model in an ONNX file.

    idle: declared inputs that no node uses. batch: how many images the file was converted for; None where it leaves
    that open. channels_first: of one image, whether its axes are (3, height, width). size: (height, width).
    """

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    idle: int
    batch: int | None
    channels_first: bool
    size: tuple[int | None, int | None]
    parameters: int
    quantised: bool
    scales_input: bool


def parse(content: bytes) -> Any:
    """Read a file as a ModelProto. Raises ModelError if it is none, or the package `onnx` is not installed."""
    onnx = runtime.onnx_package("onnx")
    try:
        model = onnx.ModelProto.FromString(content)
    except Exception as problem:  # protobuf's error has another home in each version
        raise ModelError(f"the ONNX file cannot be parsed ({type(problem).__name__})") from None
    if not model.graph.node or not model.graph.output:
        raise ModelError("the ONNX file cannot be parsed (it holds no graph)")
    return model


def read(model: Any, output: str = "") -> Network:
    """Read what a ModelProto says of itself, of the part that makes `output` if that is given, accepted or not."""
    nodes = _needed(model, [output] if output else [each.name for each in model.graph.output])
    used = _inputs(model, nodes)
    inputs = tuple(_tensor(each) for each in model.graph.input if each.name in used)
    shape = inputs[0].shape if len(inputs) == 1 else None
    image = shape[1:] if shape is not None and len(shape) == 4 else (None, None, None)
    first = _channels_first(image, _readers(model, inputs[0].name) if inputs else [])
    filled = {tensor.name for tensor in model.graph.initializer}
    return Network(
        inputs=inputs,
        outputs=tuple(map(_tensor, model.graph.output)),
        idle=sum(each.name not in used and each.name not in filled for each in model.graph.input),
        batch=shape[0] if shape else None,
        channels_first=first,
        size=(image[1], image[2]) if first else (image[0], image[1]),
        parameters=sum(_size(tensor) for tensor in onnx_ops.constants(model) if _kind(tensor.data_type) in _WEIGHTS),
        quantised=any(node.op_type in onnx_ops.QUANTISED for node in model.graph.node),
        scales_input=bool(inputs) and _scales(model, inputs[0].name),
    )


def refuse(model: Any) -> None:
    """Raise ModelError naming the node or the weight for which a ModelProto is not accepted."""
    onnx_ops.refuse(model)
    if model.graph.sparse_initializer:
        raise ModelError("sparse weights are not accepted")
    to_array = runtime.onnx_package("onnx.numpy_helper").to_array
    for tensor in onnx_ops.constants(model):
        if tensor.data_location or tensor.external_data:
            raise ModelError(
                f"weight {tensor.name} stands in another file, which is not accepted: "
                "save the model as one file (onnx.save with save_as_external_data=False)"
            )
        if _kind(tensor.data_type) not in _FLOATS:
            continue
        try:
            values = to_array(tensor).astype(np.float64)
        except (ValueError, TypeError) as problem:
            raise ModelError(f"weight {tensor.name} cannot be read ({type(problem).__name__})") from None
        if values.size > 1 and not np.isfinite(values).all():  # a bound of a Clip may be infinite
            raise ModelError(f"weight {tensor.name} holds what is not a finite number")


def cut(model: Any, source: str, target: str, any_size: bool) -> bytes:
    """Return the part of a ModelProto that makes the output `target` of the input `source`, as a file.

    any_size: the number of images is left open, whatever the file says. Inputs that no node uses are left out: whoever
    runs a model is asked for each that is declared.
    """
    graph = model.graph
    nodes = _needed(model, [target])
    read_names = {name for node in nodes for name in node.input}
    part = type(model)(ir_version=max(_FEWEST_IR, model.ir_version))
    part.opset_import.extend(each for each in model.opset_import if each.domain in onnx_ops.DOMAINS)
    part.graph.name = "embedding"
    part.graph.node.extend(nodes)
    part.graph.initializer.extend(tensor for tensor in graph.initializer if tensor.name in read_names)
    part.graph.input.extend(each for each in graph.input if each.name == source)
    part.graph.output.extend(each for each in graph.output if each.name == target)
    if any_size:
        for each in (part.graph.input[0], part.graph.output[0]):
            if each.type.tensor_type.shape.dim:
                each.type.tensor_type.shape.dim[0].Clear()
                each.type.tensor_type.shape.dim[0].dim_param = "N"
    return bytes(part.SerializeToString())


def _needed(model: Any, targets: Sequence[str]) -> list[Any]:
    """Return the nodes that the targets depend on, in the order of the file."""
    makers = {name: number for number, node in enumerate(model.graph.node) for name in node.output if name}
    needed, stack = set[int](), [makers[name] for name in targets if name in makers]
    while stack:
        number = stack.pop()
        if number not in needed:
            needed.add(number)
            stack += [makers[name] for name in model.graph.node[number].input if name in makers]
    return [node for number, node in enumerate(model.graph.node) if number in needed]


def _inputs(model: Any, nodes: Iterable[Any]) -> set[str]:
    """Name what nodes read that no node makes and no initialiser fills."""
    filled = {tensor.name for tensor in model.graph.initializer}
    every = list(nodes)
    made_here = {name for node in every for name in node.output}
    return {name for node in every for name in node.input if name} - filled - made_here


def _tensor(info: Any) -> Tensor:
    kind = info.type.tensor_type
    shape = tuple(side.dim_value or None for side in kind.shape.dim) if kind.HasField("shape") else None
    return Tensor(info.name, _kind(kind.elem_type), shape)


def _kind(number: int) -> str:
    kinds = runtime.onnx_package("onnx").TensorProto.DataType
    return str(kinds.Name(number)) if number in kinds.values() else f"type {number}"


def _size(tensor: Any) -> int:
    return int(np.prod(list(tensor.dims), dtype=object)) if tensor.dims else 1


def _readers(model: Any, name: str) -> list[Any]:
    return [node for node in model.graph.node if name in node.input]


def _channels_first(image: tuple[int | None, ...], readers: Sequence[Any]) -> bool:
    """Say where the three colours stand; where the shape leaves that open, by what reads the input first."""
    if (image[0] == 3) != (image[2] == 3):
        return image[0] == 3
    return not any(
        list(attribute.ints) == _TO_CHANNELS_FIRST
        for node in readers
        if node.op_type == "Transpose"
        for attribute in node.attribute
    )


def _scales(model: Any, name: str) -> bool:
    """Say whether what reads the input, behind what changes no number, only adds or multiplies."""
    readers = _readers(model, name)
    while len(readers) == 1 and readers[0].op_type in onnx_ops.PASSING:
        readers = _readers(model, readers[0].output[0])
    return bool(readers) and all(node.op_type in onnx_ops.SCALING for node in readers)

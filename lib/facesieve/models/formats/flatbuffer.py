"""What stands in a TensorFlow Lite file, read without running it: operations, tensors, weights.

`read` tells what the file says of itself, whatever it holds. `refuse` is what keeps a file from being run.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from facesieve.core.errors import ModelError
from facesieve.models import runtime
from facesieve.models.formats.lite_variables import refuse_lost

_NO_PART = ("CUSTOM", "DELEGATE", "PLACEHOLDER_FOR_GREATER_OP_CODES", "STABLEHLO_CUSTOM_CALL", "STABLEHLO_COMPOSITE")
"""Operations whose meaning is not in TensorFlow Lite itself: custom ones, and with them Flex, all of TensorFlow."""
_FLOATS = {"FLOAT32": "<f4", "FLOAT16": "<f2", "FLOAT64": "<f8"}
_BYTES = {"FLOAT32": 4, "FLOAT16": 2, "BFLOAT16": 2, "FLOAT64": 8, "INT32": 4, "INT16": 2, "INT8": 1, "UINT8": 1}
_NO_WEIGHTS_UNSCALED = ("INT32", "INT16", "UINT8")
"""Kinds that are weights when they are quantised, else sizes and axes."""

_SCALING = ("ADD", "SUB", "MUL", "DIV")
_UNREADABLE = (struct.error, ValueError, TypeError, IndexError, KeyError, AttributeError, OverflowError)
"""What the reader of the format raises where the bytes are no such file."""


@dataclass(frozen=True)
class Tensor:
    """A tensor: name, kind (`FLOAT32`), shape with None for sides that are left open."""

    name: str
    kind: str
    shape: tuple[int | None, ...]

    def __str__(self) -> str:
        sides = ", ".join("?" if side is None else str(side) for side in self.shape)
        return f"{self.name} {self.kind.lower()} [{sides}]"


@dataclass(frozen=True)
class Flat:
    """A model in a TensorFlow Lite file; `parameters` is how many numbers its weights are.

    `batch`: how many images the file was converted for; 1 where it leaves that open.
    """

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    parameters: int
    quantised: bool
    scales_input: bool
    batch: int = 1


def read(content: bytes) -> Flat:
    """Read a TensorFlow Lite file, whether it is accepted or not. Raises ModelError if it cannot be parsed."""
    schema = runtime.lite_schema()
    try:
        model = schema.Model.GetRootAsModel(content, 0)
        main = model.Subgraphs(0)
        kinds = _kinds(schema)
        weights = {buffer: count for buffer, count, _ in _weights(model, kinds)}
        return Flat(
            tuple(_tensor(main.Tensors(index), kinds) for index in main.InputsAsNumpy()),
            tuple(_tensor(main.Tensors(index), kinds) for index in main.OutputsAsNumpy()),
            sum(weights.values()),
            any(scaled for _, _, scaled in _weights(model, kinds)),
            _scales_input(model, main, _operations(schema)),
            _batch(main.Tensors(main.Inputs(0))),
        )
    except _UNREADABLE as problem:
        raise ModelError(f"the TFLite file cannot be parsed ({problem!r})") from None


def refuse(content: bytes) -> None:
    """Raise ModelError naming the operation, the weight or the variable for which a file is not accepted."""
    schema = runtime.lite_schema()
    try:
        model = schema.Model.GetRootAsModel(content, 0)
        names = _operations(schema)
        _check_operations(model, schema)
        _check_weights(model, _kinds(schema))
        refuse_lost(model, schema, lambda operator: _operation(model.OperatorCodes(operator.OpcodeIndex()), names))
    except _UNREADABLE as problem:
        raise ModelError(f"the TFLite file cannot be parsed ({problem!r})") from None


def _kinds(schema: Any) -> dict[int, str]:
    return {number: name for name, number in vars(schema.TensorType).items() if isinstance(number, int)}


def _batch(tensor: Any) -> int:
    return max(1, int(tensor.Shape(0))) if tensor.ShapeLength() else 1


def _check_operations(model: Any, schema: Any) -> None:
    names = _operations(schema)
    for index in range(model.OperatorCodesLength()):
        code = model.OperatorCodes(index)
        name = _operation(code, names)
        if name in _NO_PART or name == "unknown":
            own = (code.CustomCode() or b"").decode("utf-8", "replace")
            shown = f"{own!r} ({name})" if own else name
            raise ModelError(f"operation {shown} is not accepted: only TensorFlow Lite's builtin operations are")


def _operations(schema: Any) -> dict[int, str]:
    return {number: name for name, number in vars(schema.BuiltinOperator).items() if isinstance(number, int)}


def _operation(code: Any, names: dict[int, str]) -> str:
    """The name of an operation: in files of before 2020 the number is in the old field, above 127 in the new one."""
    return names.get(max(code.DeprecatedBuiltinCode(), code.BuiltinCode()), "unknown")


def _scales_input(model: Any, main: Any, names: dict[int, str]) -> bool:
    """Say whether what reads the input only adds or multiplies."""
    first = int(main.Inputs(0))
    readers = [
        operator
        for operator in (main.Operators(index) for index in range(main.OperatorsLength()))
        if first in operator.InputsAsNumpy()
    ]
    kinds = [_operation(model.OperatorCodes(reader.OpcodeIndex()), names) for reader in readers]
    return bool(kinds) and all(kind in _SCALING for kind in kinds)


def _tensor(tensor: Any, kinds: dict[int, str]) -> Tensor:
    shape = [int(tensor.Shape(axis)) for axis in range(tensor.ShapeLength())]
    signature = [int(tensor.ShapeSignature(axis)) for axis in range(tensor.ShapeSignatureLength())] or shape
    sides = [None if side < 0 or axis == 0 else side for axis, side in enumerate(signature)]
    return Tensor((tensor.Name() or b"").decode("utf-8", "replace"), kinds[tensor.Type()], tuple(sides))


def _weights(model: Any, kinds: dict[int, str]) -> Iterator[tuple[int, int, bool]]:
    """Each constant's buffer, how many numbers it holds, and whether they are scaled."""
    for tensor, buffer in _constants(model):
        kind = kinds[tensor.Type()]
        quantisation = tensor.Quantization()
        scaled = quantisation is not None and quantisation.ScaleLength() > 0
        if kind in _BYTES and (scaled or kind not in _NO_WEIGHTS_UNSCALED):
            yield tensor.Buffer(), buffer.DataLength() // _BYTES[kind], scaled


def _check_weights(model: Any, kinds: dict[int, str]) -> None:
    """Refuse floats that are not finite, and weights that another file holds."""
    for number in range(model.BuffersLength()):
        if model.Buffers(number).Size() > 1 or model.Buffers(number).Offset() > 1:
            raise ModelError("weights that stand outside of the flatbuffer are not accepted")
    for tensor, buffer in _constants(model):
        kind, name = kinds[tensor.Type()], (tensor.Name() or b"").decode("utf-8", "replace")
        if kind in _FLOATS and not np.isfinite(_array(buffer, _FLOATS[kind])).all():
            raise ModelError(f"weight {name} holds what is not a finite number")


def _constants(model: Any) -> Iterator[tuple[Any, Any]]:
    """Each tensor that has a value in the file, with the buffer that holds the value."""
    for graph in map(model.Subgraphs, range(model.SubgraphsLength())):
        for tensor in map(graph.Tensors, range(graph.TensorsLength())):
            buffer = model.Buffers(tensor.Buffer())
            if buffer is not None and buffer.DataLength():
                yield tensor, buffer


def _array(buffer: Any, kind: str) -> np.ndarray[Any, Any]:
    raw = buffer.DataAsNumpy()
    return np.frombuffer(raw.tobytes(), dtype=kind)

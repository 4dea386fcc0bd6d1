"""What stands in a TensorFlow Lite file, read without running it: operations, tensors, weights."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from facesieve.core.errors import ModelError
from facesieve.models import runtime

_NO_PART = ("CUSTOM", "DELEGATE", "PLACEHOLDER_FOR_GREATER_OP_CODES", "STABLEHLO_CUSTOM_CALL", "STABLEHLO_COMPOSITE")
"""Operations whose meaning is not in TensorFlow Lite itself: custom ones, and with them Flex, all of TensorFlow."""
_FLOATS = {"FLOAT32": "<f4", "FLOAT16": "<f2", "FLOAT64": "<f8"}
_BYTES = {"FLOAT32": 4, "FLOAT16": 2, "BFLOAT16": 2, "FLOAT64": 8, "INT32": 4, "INT16": 2, "INT8": 1, "UINT8": 1}
_NO_WEIGHTS_UNSCALED = ("INT32", "INT16", "UINT8")
"""Kinds that are weights when they are quantised, else sizes and axes."""

_SCALING = ("ADD", "SUB", "MUL", "DIV")


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
    """A model in a TensorFlow Lite file; `parameters` is how many numbers its weights are."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    parameters: int
    quantised: bool
    scales_input: bool


def read(content: bytes) -> Flat:
    """Read a TensorFlow Lite file. Raises ModelError naming the operation or the weight that is not accepted."""
    schema = _schema()
    try:
        model = schema.Model.GetRootAsModel(content, 0)
        _check_operations(model, schema)
        main = model.Subgraphs(0)
        kinds = {number: name for name, number in vars(schema.TensorType).items() if isinstance(number, int)}
        weights = {buffer: count for buffer, count, _ in _weights(model, kinds)}
        return Flat(
            tuple(_tensor(main.Tensors(index), kinds) for index in main.InputsAsNumpy()),
            tuple(_tensor(main.Tensors(index), kinds) for index in main.OutputsAsNumpy()),
            sum(weights.values()),
            any(scaled for _, _, scaled in _weights(model, kinds)),
            _scales_input(model, main, _operations(schema)),
        )
    except (struct.error, ValueError, TypeError, IndexError, KeyError, AttributeError, OverflowError) as problem:
        raise ModelError(f"the TFLite file cannot be parsed ({problem!r})") from None


def _schema() -> Any:
    """TensorFlow's own reader of the format, in Python."""
    runtime.tensorflow()
    with runtime.silenced():
        from tensorflow.lite.python import schema_py_generated  # noqa: PLC0415 (imports TensorFlow)

        return schema_py_generated


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
    """Each constant's buffer, how many numbers it holds, whether they are scaled; all floats checked to be finite."""
    for number in range(model.SubgraphsLength()):
        graph = model.Subgraphs(number)
        for index in range(graph.TensorsLength()):
            tensor = graph.Tensors(index)
            buffer = model.Buffers(tensor.Buffer())
            if buffer is None or buffer.DataLength() == 0:
                if buffer is not None and (buffer.Size() > 1 or buffer.Offset() > 1):
                    raise ModelError("weights that stand outside of the flatbuffer are not accepted")
                continue
            kind, name = kinds[tensor.Type()], (tensor.Name() or b"").decode("utf-8", "replace")
            if kind in _FLOATS and not np.isfinite(_array(buffer, _FLOATS[kind])).all():
                raise ModelError(f"weight {name} holds what is not a finite number")
            quantisation = tensor.Quantization()
            scaled = quantisation is not None and quantisation.ScaleLength() > 0
            if kind in _BYTES and (scaled or kind not in _NO_WEIGHTS_UNSCALED):
                yield tensor.Buffer(), buffer.DataLength() // _BYTES[kind], scaled


def _array(buffer: Any, kind: str) -> np.ndarray[Any, Any]:
    raw = buffer.DataAsNumpy()
    return np.frombuffer(raw.tobytes(), dtype=kind)

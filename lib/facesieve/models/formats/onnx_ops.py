"""The allow-list: the operators of ONNX that an embedding network may hold, all of ONNX's own domain.

None of them holds a graph of its own, draws at random, or handles text, sequences or maps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from facesieve.core.errors import ModelError

DOMAINS = ("", "ai.onnx")
"""Two names of ONNX's own domain."""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_LAYERS = _names(
    """
    Conv ConvTranspose Gemm MatMul Einsum BatchNormalization InstanceNormalization LayerNormalization
    GroupNormalization RMSNormalization LpNormalization MeanVarianceNormalization LRN Dropout Attention
    MaxPool AveragePool LpPool GlobalAveragePool GlobalMaxPool GlobalLpPool
    Relu PRelu LeakyRelu ThresholdedRelu Elu Selu Celu Gelu Mish Swish Sigmoid HardSigmoid HardSwish Tanh Softplus
    Softsign Softmax LogSoftmax Hardmax Clip Shrink Resize Upsample
    """
)
QUANTISED = _names(
    """
    QuantizeLinear DequantizeLinear DynamicQuantizeLinear QLinearConv QLinearMatMul ConvInteger MatMulInteger
    """
)
"""Operators of a network whose weights are whole numbers with a scale."""

SCALING = _names("Add Sub Mul Div")
"""What scales the input, where it is the first that a network does."""

PASSING = _names("Identity Cast Transpose")
"""What changes no number of the input."""

_ARITHMETIC = SCALING | _names(
    """
    Pow Sqrt Reciprocal Exp Log Neg Abs Sign Floor Ceil Round Erf Mod Min Max Mean Sum Cast CastLike BitShift
    Equal Greater GreaterOrEqual Less LessOrEqual And Or Xor Not Where IsNaN IsInf
    ReduceMean ReduceSum ReduceSumSquare ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp
    ArgMax ArgMin CumSum TopK
    """
)
_SHAPES = PASSING | _names(
    """
    Constant ConstantOfShape Shape Size Reshape Flatten Squeeze Unsqueeze Concat Split Slice Gather
    GatherElements GatherND ScatterElements ScatterND Pad Tile Expand Range DepthToSpace SpaceToDepth EyeLike Trilu
    """
)
ALLOWED = _LAYERS | QUANTISED | _ARITHMETIC | _SHAPES


def refuse(model: Any) -> None:
    """Raise ModelError naming the first node of a ModelProto that is not accepted."""
    if model.functions:
        raise ModelError(
            f"the file defines the function {model.functions[0].name}: only ONNX's own operators are accepted"
        )
    for node in model.graph.node:
        if node.domain not in DOMAINS:
            raise ModelError(
                f"{_named(node)} is a {node.op_type} of the domain {node.domain}, which is not accepted: "
                "only ONNX's own operators are"
            )
        if node.op_type not in ALLOWED or any(
            attribute.HasField("g") or attribute.graphs for attribute in node.attribute
        ):
            raise ModelError(f"{_named(node)} is a {node.op_type}, which is not accepted")
    _refuse_training(model.graph.node, {tensor.name: tensor for tensor in constants(model)})


def constants(model: Any) -> Iterator[Any]:
    """Yield the tensors that the file holds: its initialisers, and those of its constant nodes by their output."""
    yield from model.graph.initializer
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                tensor = type(attribute.t)()
                tensor.CopyFrom(attribute.t)
                tensor.name = node.output[0] if node.output else ""
                yield tensor
            yield from attribute.tensors


def _refuse_training(nodes: Iterable[Any], values: dict[str, Any]) -> None:
    """Refuse what would take the statistics of the batch, or draw at random, also at inference."""
    for node in nodes:
        flags = {attribute.name: attribute.i for attribute in node.attribute}
        mixes = node.op_type == "BatchNormalization" and (flags.get("training_mode") or len(node.output) > 1)
        if mixes or (node.op_type == "Dropout" and len(node.input) > 2 and node.input[2] and not _false(node, values)):
            does = "takes the statistics of the batch" if mixes else "draws at random"
            raise ModelError(
                f"{_named(node)} ({node.op_type}) {does} also at inference: export the network for inference"
            )


def _false(node: Any, values: dict[str, Any]) -> bool:
    """Say whether the third input of a Dropout, its training mode, is a constant that is false."""
    value = values.get(node.input[2])
    return value is not None and not any(value.int32_data) and not value.raw_data.strip(b"\0")


def _named(node: Any) -> str:
    return f"graph node {node.name or (node.output[0] if node.output else '?')}"

"""The allow-list: the operations of TensorFlow that an embedding network's graph may hold.

None of them reads or writes files, opens a connection, calls Python or a library beside TensorFlow.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from facesieve.core.errors import ModelError


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


VARIABLES = frozenset({"Variable", "VariableV2", "VarHandleOp"})
SWITCHES = frozenset({"Switch", "RefSwitch"})
MERGES = frozenset({"Merge", "RefMerge"})
CALLS = frozenset({"PartitionedCall", "StatefulPartitionedCall"})
NORMS = frozenset({"FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"})
TRAINING = _names(
    """
    Assign AssignAdd AssignSub AssignVariableOp AssignAddVariableOp AssignSubVariableOp
    RandomUniform RandomStandardNormal TruncatedNormal RandomUniformInt
    """
)
"""Accepted where the graph switches them off, as `phase_train` does: a network that only infers runs none of them."""

QUEUE_ENDS = _names("FIFOQueue FIFOQueueV2 QueueDequeueMany QueueDequeueManyV2 QueueDequeueUpTo QueueDequeueUpToV2")
"""What facenet's published frozen graphs hold before `input`: the end of the queue from which training read."""

_FLOW = _names(
    """
    Const Placeholder PlaceholderV2 PlaceholderWithDefault Identity IdentityN Snapshot NoOp StopGradient PreventGradient
    CheckNumerics EnsureShape ReadVariableOp
    """
)
_LAYERS = _names(
    """
    Conv2D DepthwiseConv2dNative Conv2DBackpropInput BiasAdd BiasAddV1 MatMul BatchMatMul BatchMatMulV2 BatchMatMulV3
    Einsum MaxPool MaxPoolV2 AvgPool LRN Relu Relu6 LeakyRelu Elu Selu Softplus Softsign Sigmoid Tanh Softmax LogSoftmax
    ResizeBilinear ResizeNearestNeighbor L2Loss
    """
)
_ARITHMETIC = _names(
    """
    Add AddV2 AddN Sub Mul MulNoNan Div DivNoNan RealDiv FloorDiv FloorMod Mod Maximum Minimum Neg Abs Sign Exp Expm1
    Log Log1p Pow Sqrt Rsqrt Square SquaredDifference Inv Reciprocal Erf Floor Ceil Round Rint Cast ClipByValue Sum Mean
    Max Min Prod All Any ArgMax ArgMin Equal NotEqual Less LessEqual Greater GreaterEqual LogicalAnd LogicalOr
    LogicalNot Select SelectV2 ZerosLike OnesLike IsFinite IsInf IsNan
    """
)
_SHAPES = _names(
    """
    Shape ShapeN Rank Size Reshape Squeeze ExpandDims Transpose ConjugateTranspose Pack Unpack Concat ConcatV2 Split
    SplitV Slice StridedSlice Tile Fill Range Pad PadV2 MirrorPad BroadcastTo BroadcastArgs Gather GatherV2 GatherNd
    ReverseV2 SpaceToBatchND BatchToSpaceND SpaceToDepth DepthToSpace InvertPermutation
    """
)
ALLOWED = VARIABLES | SWITCHES | MERGES | CALLS | NORMS | TRAINING | _FLOW | _LAYERS | _ARITHMETIC | _SHAPES


def refuse(graph: Any, also: frozenset[str] = frozenset()) -> None:
    """Raise ModelError naming the first node of a GraphDef, or of its functions, that is no accepted operation.

    `also` are operations that are accepted in this graph, yet not in its functions.
    """
    _refuse_nodes(graph.node, ALLOWED | also, "")
    for function in graph.library.function:
        _refuse_nodes(function.node_def, ALLOWED, f" of function {function.signature.name}")


def refuse_training(graph: Any) -> None:
    """Raise ModelError if a graph would still draw at random, change weights or mix a batch's images at inference."""
    bodies = [
        (graph.node, ""),
        *((function.node_def, f" of function {function.signature.name}") for function in graph.library.function),
    ]
    for nodes, where in bodies:
        for node in nodes:
            mixes = node.op in NORMS and ("is_training" not in node.attr or node.attr["is_training"].b)
            if mixes or node.op in TRAINING:
                does = "takes the statistics of the batch" if mixes else "draws at random or changes weights"
                raise ModelError(
                    f"graph node {node.name}{where} ({node.op}) {does} also at inference: "
                    "save the network again for inference, or with phase_train to switch it off"
                )


def _refuse_nodes(nodes: Iterable[Any], accepted: frozenset[str], where: str) -> None:
    for node in nodes:
        if node.op not in accepted:
            raise ModelError(f"graph node {node.name}{where} is a {node.op}, which is not accepted")

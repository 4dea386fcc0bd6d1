"""TensorFlow graphs as models: the one module that parses GraphDefs and runs them (`tf.compat.v1`).

Of a file's graph only the part between input and output is taken, every operation of it checked against the allow-list
(`ops`), its branches decided (`branches`), its weights put in as constants (`parts`). Only that gets into TensorFlow.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from facesieve.core.errors import ModelError, first_line
from facesieve.core.profiles import Profile
from facesieve.models import runtime
from facesieve.models.formats import branches, graph_surgery, ops, tracked
from facesieve.models.network import Facts, Floats, Infer

INPUT, OUTPUT, PHASE = "input:0", "embeddings:0", "phase_train"
"""Names of facenet's tensors: images, vectors, and whether the network trains."""
_MOST_BYTES = 2**31 - 1
"""Size at which a protocol buffer ends, and so a graph."""
_MOST_NUMBERS = 500_000_000
"""Numbers in all constants of a graph: 2 GB. A few bytes can claim more, as one value repeated."""
_FLOATS = {1: "float32", 2: "float64", 14: "bfloat16", 19: "float16"}
KINDS = {**_FLOATS, 3: "int32", 4: "uint8", 7: "string", 9: "int64", 10: "bool"}
"""Names of element types by their number in TensorFlow's types.proto."""
_PROBES = 2
"""Images embedded while loading: one would not tell a network of a fixed batch size from others."""

Shape = tuple[int | None, ...] | None
Values = Callable[[Mapping[str, tuple[int, ...]]], Mapping[str, Floats]]
"""Name and shape of the variables wanted -> their values."""


@dataclass(frozen=True)
class Graph:
    """An embedding network as a GraphDef of constants, its ends, the input's shape as the file states it, its size."""

    definition: Any
    source: str
    target: str
    stated: Shape
    parameters: int


def parse(content: bytes, kind: str) -> Any:
    """Parse a protocol buffer: `GraphDef`, `MetaGraphDef` or `SavedModel`. Raises ModelError if it is not one."""
    if len(content) > _MOST_BYTES:
        raise ModelError(f"the graph has {len(content):,} bytes, TensorFlow loads at most {_MOST_BYTES:,}")
    tf = runtime.tensorflow()
    from google.protobuf.message import DecodeError  # noqa: PLC0415 (of TensorFlow)
    from tensorflow.core.protobuf import saved_model_pb2  # noqa: PLC0415

    kinds = {"GraphDef": tf.compat.v1.GraphDef, "MetaGraphDef": tf.compat.v1.MetaGraphDef}
    message = kinds.get(kind, saved_model_pb2.SavedModel)()
    try:
        message.ParseFromString(content)
    except DecodeError:
        raise ModelError(f"the graph cannot be read: it is cut off, altered, or no {kind} of TensorFlow") from None
    return message


def network(
    definition: Any, ends: tuple[str, str], off: Collection[str], values: Values, stated: Shape = None
) -> Graph:
    """Make the network between two tensors of a GraphDef; the nodes `off` are held false.

    `stated` is the input's shape, where another part of the file than the node says it.
    `values` is asked for the variables that are left once training is cut off. Raises ModelError naming the node that
    is not accepted, missing, or holds what is not finite.
    """
    source, target = ends
    part = graph_surgery.used(definition, source, target, off)
    ops.refuse(part)
    inference = branches.decided(part, source, target)
    ops.refuse_training(inference)
    shapes = {node.name: _variable(node) for node in inference.node if node.op in ops.VARIABLES}
    weights = values(shapes)
    for name, value in weights.items():
        _check_finite(f"variable {name}", value)
    constants = _check_constants(inference)
    parameters = sum(value.size for value in weights.values()) or constants
    stated = stated or next(
        (_stated(node) for node in definition.node if node.name == graph_surgery.tensor(source)[0]), None
    )
    return Graph(graph_surgery.frozen(inference, weights), source, target, stated, parameters)


def read_values(prefix: Path, keys: Mapping[str, str], shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Floats]:
    """Read variables out of a checkpoint: of name -> key and name -> shape, the name -> value.

    Raises ModelError if one is missing, of another shape or not float32, or the files are cut off or altered.
    """
    tf = runtime.tensorflow()
    values: dict[str, Floats] = {}
    try:
        reader = tf.train.load_checkpoint(str(prefix))
        stored, named = reader.get_variable_to_shape_map(), tracked.keys(reader)
        for name, shape in shapes.items():
            key = keys.get(name) or named.get(name, name)
            if tuple(stored.get(key, [-1])) != shape:
                fault = f"has shape {stored[key]}" if key in stored else "does not exist"
                raise ModelError(f"variable {name} of shape {list(shape)} {fault} in the checkpoint {prefix.name}")
            values[name] = np.asarray(reader.get_tensor(key))
    except (tf.errors.OpError, RuntimeError, ValueError, LookupError, SystemError) as problem:
        cause = first_line(problem)
        raise ModelError(f"the checkpoint {prefix.name} cannot be read, it is cut off or altered ({cause})") from None
    for name, value in values.items():
        if value.dtype != np.float32:
            raise ModelError(f"variable {name} is {value.dtype} in the checkpoint, float32 is accepted")
    return values


def infer(graph: Graph, profile: Profile) -> Infer:
    """Make a function of a network: float32 [N, H, W, 3] -> float32 [N, D], without retracing for other N.

    Raises ModelError if input or output are not the profile's, or TensorFlow cannot run the graph.
    """
    tf = runtime.tensorflow()
    height, width = profile.input
    _check_input(graph, (height, width), profile.name)
    imported = _imported(graph, (height, width))
    target = imported.get_tensor_by_name(graph.target)
    _check_output(target, profile)
    options = tf.compat.v1.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
    options.gpu_options.allow_growth = True
    session = tf.compat.v1.Session(graph=imported, config=options)
    run = session.make_callable(target, feed_list=[imported.get_tensor_by_name(graph.source)])

    def embed(batch: Floats) -> Floats:
        try:
            return np.asarray(run(np.asarray(batch, np.float32)))
        except tf.errors.OpError as problem:
            cause = first_line(problem.message)
            raise ModelError(f"{profile.name}: the graph cannot embed {batch.shape} ({cause})") from None

    shape = embed(np.zeros((_PROBES, height, width, 3), np.float32)).shape
    if shape != (_PROBES, profile.dimension):
        raise ModelError(
            f"{profile.name}: output is {shape} for {_PROBES} images, the profile says {profile.dimension}."
        )
    return embed


def facts(graph: Graph) -> Facts:
    """Say what a network is: its ends, input size and dimension where the file tells them, its number of weights."""
    sides = graph.stated[1:3] if graph.stated and len(graph.stated) == 4 else (None, None)
    target = _imported(graph, sides).get_tensor_by_name(graph.target)
    shape = _dimensions(target.shape)
    size = (sides[0], sides[1]) if sides[0] and sides[1] else None
    dimension = shape[-1] if shape else None
    ends = (described(graph.source, "float32", graph.stated), described(graph.target, target.dtype.name, shape))
    return Facts(ends[:1], ends[1:], size, dimension, graph.parameters)


def described(name: str, kind: str, shape: Shape) -> str:
    """Write a tensor as people read it.

    >>> described("input:0", "float32", (None, 160, 160, 3))
    'input:0 float32 [?, 160, 160, 3]'
    """
    sides = ", ".join("?" if side is None else str(side) for side in shape) if shape is not None else "shape unknown"
    return f"{name} {kind} [{sides}]"


def sides_of(shape: Any) -> Shape:
    """Read a TensorShapeProto: None for a side that is open, None for all when not even the rank is known."""
    return None if shape.unknown_rank else tuple(dim.size if dim.size >= 0 else None for dim in shape.dim)


def _stated(node: Any) -> Shape:
    """The shape of a node's first output, where the file states it."""
    if node.attr["_output_shapes"].list.shape:
        return sides_of(node.attr["_output_shapes"].list.shape[0])
    return sides_of(node.attr["shape"].shape) if node.attr["shape"].HasField("shape") else None


def _variable(node: Any) -> tuple[int, ...]:
    shape = sides_of(node.attr["shape"].shape)
    if node.attr["dtype"].type != graph_surgery.FLOAT or shape is None or None in shape:
        raise ModelError(f"variable {node.name} is not float32 of a known shape, which alone is accepted")
    return tuple(side for side in shape if side is not None)


def _check_finite(what: str, value: Any) -> None:
    """Refuse what is not finite; a single number may be infinite, as what a pooling is padded with."""
    bad = np.isnan(value) if np.ndim(value) == 0 else ~np.isfinite(value)
    if bad.any():
        raise ModelError(f"{what} holds what is not a finite number")


def _check_constants(definition: Any) -> int:
    """Refuse constants that are too large or not finite; return how many weights they are (single numbers are none)."""
    tf, weights, numbers = runtime.tensorflow(), 0, 0
    bodies: Sequence[Any] = [definition.node, *(function.node_def for function in definition.library.function)]
    for node in (node for body in bodies for node in body if node.op == "Const"):
        constant = node.attr["value"].tensor
        sides = sides_of(constant.tensor_shape)
        if sides is None or None in sides:
            raise ModelError(f"graph node {node.name} is a constant of unknown shape")
        size = int(np.prod([side or 0 for side in sides], dtype=object))
        numbers += size
        if numbers > _MOST_NUMBERS:
            raise ModelError(f"graph node {node.name} makes more than {_MOST_NUMBERS:,} numbers in constants")
        if constant.dtype in _FLOATS:
            try:
                _check_finite(f"graph node {node.name}", tf.make_ndarray(constant).astype(np.float64))
            except (ValueError, TypeError):
                raise ModelError(f"graph node {node.name} is a constant that does not fill its shape {sides}") from None
            weights += size if sides else 0
    return weights


def _imported(graph: Graph, sides: tuple[int | None, ...]) -> Any:
    """Put a network into a graph of TensorFlow, for images of the given height and width."""
    tf = runtime.tensorflow()
    definition, start = type(graph.definition)(), graph_surgery.tensor(graph.source)[0]
    definition.CopyFrom(graph.definition)
    placeholder = next(node for node in definition.node if node.name == start)
    placeholder.attr["shape"].shape.CopyFrom(tf.TensorShape([None, *sides, 3]).as_proto())
    imported = tf.Graph()
    try:
        with imported.as_default():
            tf.graph_util.import_graph_def(definition, name="")
    except (ValueError, TypeError, KeyError, tf.errors.OpError) as problem:
        raise ModelError(f"TensorFlow refuses the graph for images of {sides} ({first_line(problem)})") from None
    return imported


def _check_input(graph: Graph, size: tuple[int, int], name: str) -> None:
    wanted, stated = (None, *size, 3), graph.stated
    if stated is None:
        return
    fits = len(stated) == 4 and all(has in (None, want) for has, want in zip(stated[1:], wanted[1:], strict=True))
    if not fits:
        raise ModelError(f"{name}: input is {described('', 'float32', stated).strip()}, the profile says {list(size)}.")


def _check_output(target: Any, profile: Profile) -> None:
    shape = _dimensions(target.shape)
    fits = shape is None or (len(shape) == 2 and shape[1] in (None, profile.dimension))
    if not fits or target.dtype.name != "float32":
        shown = described("", target.dtype.name, shape).strip()
        raise ModelError(f"{profile.name}: output is {shown}, the profile says {profile.dimension} numbers.")


def _dimensions(shape: Any) -> Shape:
    return None if shape.rank is None else tuple(shape.as_list())

"""The part of a graph that embeds: cut out of a training graph, and its weights filled in.

GraphDefs are altered as data; nothing here runs them. What is not between input and output gets no further than this.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from facesieve.core.errors import ModelError
from facesieve.models.formats import ops
from facesieve.models.network import Floats

FLOAT, BOOL, RESOURCE = 1, 10, 20
"""Numbers of element types in TensorFlow's types.proto."""

Tensor = tuple[str, int]
"""A node's name and which of its outputs."""


def tensor(text: str) -> Tensor:
    """Read a tensor's name: `name`, `name:1`; a control input `^name` is output -1.

    >>> tensor("a/b:1"), tensor("c"), tensor("^d")
    (('a/b', 1), ('c', 0), ('d', -1))
    """
    if text.startswith("^"):
        return text[1:], -1
    name, _, output = text.partition(":")
    if not (output.isdecimal() or not output):
        raise ModelError(f"the graph reads {text!r}, which is no tensor's name")
    return name, int(output or 0)


def used(graph: Any, source: str, target: str, off: Collection[str]) -> Any:
    """Return the part of a GraphDef that makes the tensor `target` out of the tensor `source`, in order.

    Control inputs count. `source` becomes a placeholder, the nodes `off` become constants that are false; of the
    library stays what is called; devices and private attributes go. Raises ModelError if a node is missing, there
    twice, or depends on itself.
    """
    nodes = {node.name: node for node in graph.node}
    if len(nodes) != len(graph.node):
        raise ModelError("the graph has two nodes of one name")
    for name in (source, target):
        if tensor(name)[0] not in nodes:
            raise ModelError(f"the graph has no tensor {name}: it is not of this form, or was made by another tool")
    start, flags = tensor(source)[0], {name for name in off if name in nodes}
    order = _ordered(nodes, tensor(target)[0], {start, *flags})
    if start not in order:
        raise ModelError(f"the graph makes {target} without {source}")
    part = type(graph)(versions=graph.versions)
    for name in order:
        _add(part, nodes[name], "source" if name == start else "off" if name in flags else "")
    _copy_functions(graph, part)
    return part


def _ordered(nodes: Mapping[str, Any], target: str, ends: Collection[str]) -> list[str]:
    """Names of all nodes that a node depends on, itself last, each after those it reads; `ends` read nothing."""
    begun: set[str] = set()
    done: dict[str, None] = {}
    stack = [target]
    while stack:
        name = stack[-1]
        if name in begun or name in done:
            done[stack.pop()] = None
            continue
        begun.add(name)
        for text in () if name in ends else nodes[name].input:
            read = tensor(text)[0]
            if read not in nodes:
                raise ModelError(f"graph node {name} reads {read}, which is not in the graph")
            if read in begun and read not in done:
                raise ModelError(f"graph node {name} depends on itself")
            if read not in done:
                stack.append(read)
    return list(done)


def _add(part: Any, node: Any, role: str) -> None:
    added = part.node.add(name=node.name)
    if role == "source":
        added.op = "Placeholder"
        added.attr["dtype"].type = FLOAT
    elif role == "off":
        added.op = "Const"
        added.attr["dtype"].type = added.attr["value"].tensor.dtype = BOOL
        added.attr["value"].tensor.tensor_shape.SetInParent()
        added.attr["value"].tensor.bool_val.append(False)
    else:
        _copy(node, added)
        if node.op == "PlaceholderWithDefault":  # nobody feeds it
            added.op = "Identity"
            added.attr["T"].CopyFrom(node.attr["dtype"])
            for name in ("dtype", "shape"):
                added.attr.pop(name, None)


def _copy(node: Any, to: Any) -> None:
    """Copy a node without its device and private attributes, which name what is not in the part."""
    to.CopyFrom(node)
    to.device = ""
    for name in [name for name in to.attr if name.startswith("_")]:
        to.attr.pop(name)


def _copy_functions(graph: Any, part: Any) -> None:
    library = {function.signature.name: function for function in graph.library.function}
    wanted, seen = list(_called(part.node)), set[str]()
    while wanted:
        name = wanted.pop()
        if name in seen:
            continue
        if name not in library:
            raise ModelError(f"the graph calls the function {name}, which is not in it")
        seen.add(name)
        copied = part.library.function.add(signature=library[name].signature, ret=library[name].ret)
        copied.control_ret.update(library[name].control_ret)
        for node in library[name].node_def:
            _copy(node, copied.node_def.add())
        wanted += _called(copied.node_def)


def _called(nodes: Iterable[Any]) -> Iterable[str]:
    for node in nodes:
        for value in node.attr.values():
            yield from [value.func.name] if value.HasField("func") else [function.name for function in value.list.func]


def frozen(part: Any, values: Mapping[str, Floats]) -> Any:
    """Return a part with its variables, of name -> value, as constants; functions take values instead of handles."""
    graph = type(part)()
    graph.CopyFrom(part)
    for node in graph.node:
        if node.op in ops.VARIABLES:
            _fill(node, values[node.name])
        elif node.op == "RefSwitch":
            node.op = "Switch"
    _without_handles(graph.node)
    for function in graph.library.function:
        _take_values(function)
    return graph


def _fill(node: Any, value: Floats) -> None:
    node.op = "Const"
    node.ClearField("attr")
    node.attr["dtype"].type = node.attr["value"].tensor.dtype = FLOAT
    node.attr["value"].tensor.tensor_shape.SetInParent()
    for length in value.shape:
        node.attr["value"].tensor.tensor_shape.dim.add(size=length)
    node.attr["value"].tensor.tensor_content = value.tobytes()


def _without_handles(nodes: Iterable[Any]) -> None:
    """Make reading a variable an Identity, and every handle that is passed on a number."""
    for node in nodes:
        if node.op == "ReadVariableOp":
            node.op = "Identity"
            node.attr["T"].CopyFrom(node.attr.pop("dtype"))
        for value in node.attr.values():
            if value.type == RESOURCE:
                value.type = FLOAT
            for index, kind in enumerate(value.list.type):
                value.list.type[index] = FLOAT if kind == RESOURCE else kind


def _take_values(function: Any) -> None:
    """Let a function take its variables' values; inside, outputs are named, and `value` is an Identity's `output`."""
    renamed = {
        f"{node.name}:value:0": f"{node.name}:output:0" for node in function.node_def if node.op == "ReadVariableOp"
    }
    for argument in function.signature.input_arg:
        if argument.type == RESOURCE:
            argument.type = FLOAT
            argument.ClearField("handle_data")
    for node in function.node_def:
        for index, text in enumerate(node.input):
            node.input[index] = renamed.get(text, text)
    for name, text in list(function.ret.items()):
        function.ret[name] = renamed.get(text, text)
    _without_handles(function.node_def)

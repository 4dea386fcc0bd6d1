"""Variables of a TensorFlow Lite file: those that hold nothing when the model reads them.

A file with variables keeps their weights in a subgraph of its own, which assigns them. The operation CALL_ONCE runs
that subgraph before anything else. A conversion that is given a function without the object that owns its variables
may leave the subgraph out: then READ_VARIABLE stands without ASSIGN_VARIABLE, and the weights are lost.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from facesieve.core.errors import ModelError

NameOf = Callable[[Any], str]
"""From an operator of a flatbuffer to the name of its operation, such as `READ_VARIABLE`."""

_FIX = (
    "convert again with tf.lite.TFLiteConverter.from_saved_model(FOLDER), or with"
    " from_concrete_functions([function], model), which is given the model that owns the variables"
)


def refuse_lost(model: Any, schema: Any, name_of: NameOf) -> None:
    """Raise ModelError if a variable is read to which nothing was assigned."""
    assigned: set[str] = set()
    _follow(model, schema, name_of, 0, assigned)


def _follow(model: Any, schema: Any, name_of: NameOf, number: int, assigned: set[str]) -> None:
    """Go through the operators of one subgraph in their order, which is that in which they run."""
    graph = model.Subgraphs(number)
    variables: dict[int, str] = {}
    for operator in (graph.Operators(index) for index in range(graph.OperatorsLength())):
        name = name_of(operator)
        if name == "VAR_HANDLE":
            shared = _options(operator, schema.VarHandleOptions).SharedName() or b""
            variables[operator.Outputs(0)] = shared.decode("utf-8", "replace")
        elif name == "CALL_ONCE":
            first = _options(operator, schema.CallOnceOptions).InitSubgraphIndex()
            if first != number:
                _follow(model, schema, name_of, first, assigned)
        elif name == "ASSIGN_VARIABLE":
            assigned.add(variables.get(operator.Inputs(0), ""))
        elif name == "READ_VARIABLE" and variables.get(operator.Inputs(0), "") not in assigned:
            lost = variables.get(operator.Inputs(0), "")
            raise ModelError(f"the conversion lost the weights (variable {lost!r} is read, never assigned): {_FIX}")


def _options(operator: Any, kind: Any) -> Any:
    options, table = kind(), operator.BuiltinOptions()
    options.Init(table.Bytes, table.Pos)
    return options

"""Branches that a graph decides at run time, decided beforehand: `phase_train` is false, so training never happens.

Done on the GraphDef as data. What is left assigns no weights and draws nothing at random, and can be frozen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from facesieve.core.errors import ModelError
from facesieve.models.formats import ops
from facesieve.models.formats.graph_surgery import BOOL, Tensor, tensor, used


@dataclass
class _Branches:
    """What is known of a graph's branches: booleans, tensors that never come to be, outputs that moved."""

    booleans: dict[Tensor, bool] = field(default_factory=dict)
    dead: set[Tensor] = field(default_factory=set)
    moved: dict[Tensor, str] = field(default_factory=dict)

    def dies(self, text: str) -> bool:
        name, output = tensor(text)
        return (name, output) in self.dead or (name, -1) in self.dead

    def decide(self, node: Any) -> None:
        """Note what one node says, after those that it reads; a decided Switch or Merge becomes an Identity."""
        inputs = [text for text in node.input if not text.startswith("^")]
        if node.op in ops.MERGES:
            self._merge(node, [text for text in inputs if not self.dies(text)])
        elif any(self.dies(text) for text in node.input):
            self.dead.add((node.name, -1))
        elif node.op == "Const" and node.attr["dtype"].type == BOOL and not node.attr["value"].tensor.tensor_shape.dim:
            value = node.attr["value"].tensor
            self.booleans[node.name, 0] = any(value.bool_val) or any(value.tensor_content)
        elif node.op == "Identity" and tensor(inputs[0]) in self.booleans:
            self.booleans[node.name, 0] = self.booleans[tensor(inputs[0])]
        elif node.op == "LogicalNot" and tensor(inputs[0]) in self.booleans:
            self.booleans[node.name, 0] = not self.booleans[tensor(inputs[0])]
        elif node.op in ops.SWITCHES and tensor(inputs[1]) in self.booleans:
            self._switch(node, inputs[0], self.booleans[tensor(inputs[1])])

    def _merge(self, node: Any, live: list[str]) -> None:
        if not live:
            self.dead.add((node.name, -1))
        elif len(live) == 1:
            self.dead.add((node.name, 1))  # which branch was taken is not asked by a network
            _become_identity(node, live[0])

    def _switch(self, node: Any, read: str, taken: bool) -> None:
        self.dead.add((node.name, int(not taken)))
        self.moved[node.name, int(taken)] = f"{node.name}:0"
        if tensor(read) in self.booleans:
            self.booleans[node.name, int(taken)] = self.booleans[tensor(read)]
        _become_identity(node, read)

    def rename(self, node: Any) -> None:
        for index, text in enumerate(node.input):
            node.input[index] = self.moved.get(tensor(text), text)


def _become_identity(node: Any, read: str) -> None:
    kind = node.attr["T"].type
    node.op = "Identity"
    node.ClearField("attr")
    node.attr["T"].type = kind
    del node.input[:]
    node.input.append(read)


def decided(part: Any, source: str, target: str) -> Any:
    """Return what is left of a part (in order, as of `used`) once the branches that are never taken are cut off.

    With constants for conditions Switch and Merge become Identity, and the training branches vanish; where none is
    left, so do control inputs, which then order nothing. Raises ModelError if the target itself is never made.
    """
    branches, rest = _Branches(), type(part)()
    rest.CopyFrom(part)
    for node in rest.node:
        branches.decide(node)
    if branches.dies(target):
        raise ModelError(f"the graph makes {target} only while it trains")
    for node in rest.node:
        branches.rename(node)
    if not any(node.op in ops.SWITCHES for node in rest.node if (node.name, -1) not in branches.dead):
        for node in rest.node:
            inputs = [text for text in node.input if not text.startswith("^")]
            del node.input[:]
            node.input.extend(inputs)
    return used(rest, source, target, ())

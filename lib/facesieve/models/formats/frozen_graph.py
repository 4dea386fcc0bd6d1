"""Frozen graphs: one GraphDef (`.pb`) with its weights as constants, as facenet's `freeze_graph` writes it.

The whole file must be of accepted operations. Before `input` the end of the queue that training read from is tolerated,
since facenet's published files hold it; it gets no further than the check.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from facesieve.core.errors import ModelError
from facesieve.core.profiles import Profile
from facesieve.models.files import ModelFiles
from facesieve.models.formats import graph_surgery, graphs, ops
from facesieve.models.network import Facts, Floats, Infer


def load(files: ModelFiles, profile: Profile) -> Infer:
    """Make a function of a frozen graph: float32 [N, H, W, 3] -> float32 [N, D].

    The vectors are the tensor `embeddings:0`, or the one that the profile's `output` names. Raises ModelError if the
    file is no graph, holds what is not accepted, or does not fit the profile.
    """
    return graphs.infer(_network(files, profile.output), profile)


def facts(files: ModelFiles) -> Facts:
    """Say what a frozen graph is. Raises ModelError as `load` does."""
    return graphs.facts(_network(files, ""))


def _network(files: ModelFiles, output: str) -> graphs.Graph:
    definition = graphs.parse(files.single, "GraphDef")
    ops.refuse(definition, ops.QUEUE_ENDS)
    ends = (graphs.INPUT, output or graphs.OUTPUT)
    return graphs.network(definition, ends, [graphs.PHASE], _no_variables, _queued(definition))


def _queued(definition: Any) -> graphs.Shape:
    """The shape of the images in the queue whose end stands before `input`, if one does."""
    nodes = {node.name: node for node in definition.node}
    node = nodes.get(graph_surgery.tensor(graphs.INPUT)[0])
    while node is not None and node.op == "Identity" and node.input:
        node = nodes.get(graph_surgery.tensor(node.input[0])[0])
    if node is None or node.op not in ops.QUEUE_ENDS or not node.input:
        return None
    queue = nodes.get(graph_surgery.tensor(node.input[0])[0])
    sides = graphs.sides_of(queue.attr["shapes"].list.shape[0]) if queue and queue.attr["shapes"].list.shape else None
    return (None, *sides) if sides else None


def _no_variables(shapes: Mapping[str, tuple[int, ...]]) -> Mapping[str, Floats]:
    if shapes:
        raise ModelError(f"graph node {next(iter(shapes))} is a variable: the graph is not frozen, it has no weights")
    return {}

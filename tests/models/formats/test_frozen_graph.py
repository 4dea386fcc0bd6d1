from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import facenet_graphs
import numpy as np
import pytest
from facenet_graphs import profile_of

from facesieve.core.errors import ModelError
from facesieve.models import files
from facesieve.models.formats import frozen_graph, graphs
from facesieve.models.network import Infer


@pytest.fixture(scope="module")
def file() -> Path:
    return facenet_graphs.small() / "8" / "frozen.pb"


def load(content: bytes, tmp_path: Path, **more: Any) -> Infer:
    written = tmp_path / "altered.pb"
    written.write_bytes(content)
    return frozen_graph.load(files.read(written), profile_of("frozen_graph", **more))


def node_of(graph: Any, name: str) -> Any:
    return next(node for node in graph.node if node.name == name)


def weight(graph: Any) -> Any:
    return next(
        node for node in graph.node if node.op == "Const" and len(node.attr["value"].tensor.tensor_shape.dim) == 4
    )


def in_the_path(graph: Any) -> None:
    node_of(graph, "embeddings").op = "PyFunc"


def as_a_condition(graph: Any) -> None:
    graph.node.add(name="leak", op="ReadFile", input=["image_batch"])
    node_of(graph, "embeddings").input.append("^leak")


def beside_the_path(graph: Any) -> None:
    graph.node.add(name="unused", op="WriteFile")


def queue_in_the_path(graph: Any) -> None:
    node_of(graph, "embeddings").op = "QueueDequeueUpToV2"


def unknown(graph: Any) -> None:
    node_of(graph, "embeddings").op = "MyOwnLayer"


def in_a_function(graph: Any) -> None:
    function = graph.library.function.add()
    function.signature.name = "helper"
    function.node_def.add(name="eager", op="EagerPyFunc")


def calls_nothing(graph: Any) -> None:
    node_of(graph, "embeddings").op = "PartitionedCall"
    node_of(graph, "embeddings").attr["f"].func.name = "gone"


def not_a_number(graph: Any) -> None:
    value = weight(graph).attr["value"].tensor
    numbers = np.frombuffer(value.tensor_content, np.float32).copy()
    numbers[3] = np.nan
    value.tensor_content = numbers.tobytes()


def short_of_numbers(graph: Any) -> None:
    weight(graph).attr["value"].tensor.tensor_content = b"\0" * 8


def a_variable(graph: Any) -> None:
    constant = weight(graph)
    shape = constant.attr["value"].tensor.tensor_shape
    constant.attr["shape"].shape.CopyFrom(shape)
    constant.attr.pop("value")
    constant.op = "VariableV2"


def renamed(graph: Any) -> None:
    node_of(graph, "embeddings").name = "vectors"


def nothing(graph: Any) -> None:
    graph.Clear()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (in_the_path, "graph node embeddings is a PyFunc, which is not accepted"),
        (as_a_condition, "graph node leak is a ReadFile, which is not accepted"),
        (beside_the_path, "graph node unused is a WriteFile"),
        (queue_in_the_path, "graph node embeddings is a QueueDequeueUpToV2"),
        (unknown, "graph node embeddings is a MyOwnLayer"),
        (in_a_function, "graph node eager of function helper is a EagerPyFunc"),
        (calls_nothing, "calls the function gone, which is not in it"),
        (not_a_number, "holds what is not a finite number"),
        (short_of_numbers, "does not fill its shape"),
        (a_variable, "is a variable: the graph is not frozen"),
        (renamed, "no tensor embeddings:0"),
        (nothing, "no tensor input:0"),
    ],
)
def test_what_is_not_accepted_is_named(file: Any, tmp_path: Path, change: Any, said: str) -> None:
    graph = graphs.parse(file.read_bytes(), "GraphDef")
    change(graph)
    with pytest.raises(ModelError, match=said):
        load(graph.SerializeToString(), tmp_path)


def test_the_tensor_of_the_profile_is_taken(file: Any, tmp_path: Path) -> None:
    graph = graphs.parse(file.read_bytes(), "GraphDef")
    renamed(graph)
    batch = np.zeros((1, 32, 32, 3), np.float32)
    assert load(graph.SerializeToString(), tmp_path, output="vectors:0")(batch).shape == (1, 8)


@pytest.mark.parametrize("content", [pickle.dumps({"weights": [1]}), b"\x00", b"<html>" * 50])
def test_what_is_no_graph_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ModelError, match=r"cannot be read|no tensor"):
        load(content, tmp_path)


def test_a_graph_cut_off_is_refused(file: Any, tmp_path: Path) -> None:
    content = file.read_bytes()
    for share in (0.2, 0.5, 0.9):
        with pytest.raises(ModelError, match=r"cannot be read|no tensor|not in the graph"):
            load(content[: int(len(content) * share)], tmp_path)


def test_sizes_must_be_the_profiles(file: Any, tmp_path: Path) -> None:
    content = file.read_bytes()
    with pytest.raises(ModelError, match=r"input is .*32, 32.*profile says \[24, 24\]"):
        load(content, tmp_path, side=24)
    with pytest.raises(ModelError, match=r"output is .*8\].*profile says 16"):
        load(content, tmp_path, dimension=16)


def test_a_graph_of_open_size_takes_the_profiles(file: Any, tmp_path: Path) -> None:
    """Facenet's graphs that are made for inference state no size: the network's own shapes decide."""
    graph = graphs.parse(file.read_bytes(), "GraphDef")
    source = node_of(graph, "input")
    source.op = "Placeholder"
    del source.input[:]
    source.ClearField("attr")
    source.attr["dtype"].type = 1
    batch = np.zeros((2, 40, 40, 3), np.float32)
    assert load(graph.SerializeToString(), tmp_path, side=40)(batch).shape == (2, 8)

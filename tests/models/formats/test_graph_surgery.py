from __future__ import annotations

import pytest
from small_graphs import graph, lines

from facesieve.core.errors import ModelError
from facesieve.models.formats.graph_surgery import tensor, used

WHOLE = """
    queue = FIFOQueue
    images = QueueDequeue queue
    phase = Placeholder
    flag = Identity phase
    planes = Relu images ^flag
    vectors = MatMul planes planes
    loss = Sum vectors
"""


def test_only_what_stands_between_the_ends_is_left() -> None:
    part = used(graph(WHOLE), "images:0", "vectors:0", ["phase"])
    assert lines(part) == [
        "phase = Const",
        "flag = Identity phase",
        "images = Placeholder",
        "planes = Relu images ^flag",
        "vectors = MatMul planes planes",
    ]
    assert not part.node[0].attr["value"].tensor.bool_val[0]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (WHOLE + "loss = Sum vectors", "two nodes of one name"),
        (WHOLE.replace("vectors = MatMul planes planes", "vectors = MatMul loss planes"), "depends on itself"),
        (WHOLE.replace("Relu images", "Relu queue"), "makes vectors:0 without images:0"),
        (WHOLE.replace("Relu images", "Relu nowhere"), "nowhere"),
        (WHOLE.replace("images =", "pictures ="), "no tensor images:0"),
    ],
)
def test_graphs_that_are_no_network_are_refused(text: str, problem: str) -> None:
    with pytest.raises(ModelError, match=problem):
        used(graph(text), "images:0", "vectors:0", ["phase"])


def test_a_name_that_is_none_is_refused() -> None:
    with pytest.raises(ModelError, match="no tensor's name"):
        tensor("a:b:c")

"""What an ONNX file says, and what keeps it from being run."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx_models import KERNEL, SIDE, node, small, tensor, value

from facesieve.core.errors import ModelError
from facesieve.models.formats import onnx_graph


def kernel(values: Any) -> Any:
    model = small()
    model.graph.initializer[0].CopyFrom(tensor("kernel", values))
    return model


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("kind", [np.float32, np.float16])
def test_weights_that_are_no_numbers_are_refused(number: float, kind: Any) -> None:
    values = KERNEL.astype(kind)
    values[0, 0, 0, 0] = number
    with pytest.raises(ModelError, match="weight kernel holds what is not a finite number"):
        onnx_graph.refuse(kernel(values))


def test_weights_of_a_constant_node_are_looked_at_and_a_single_bound_may_be_infinite() -> None:
    for values, fine in ((np.array([np.nan, 1.0]), False), (np.array(np.inf), True)):
        model = small(nodes=[node("Constant", [], ["bound"], value=tensor("", values.astype(np.float32)))])
        if fine:
            onnx_graph.refuse(model)
        else:
            with pytest.raises(ModelError, match="weight bound"):
                onnx_graph.refuse(model)


def test_weights_in_another_file_are_refused_unread() -> None:
    model = small()
    model.graph.initializer[0].data_location = 1
    model.graph.initializer[0].external_data.add(key="location", value="../secret")
    with pytest.raises(ModelError, match="weight kernel stands in another file"):
        onnx_graph.refuse(model)


def test_weights_that_do_not_fill_their_shape_are_refused() -> None:
    model = small()
    model.graph.initializer[0].raw_data = b"\0" * 12
    with pytest.raises(ModelError, match="weight kernel cannot be read"):
        onnx_graph.refuse(model)


@pytest.mark.parametrize("content", [b"", b"no model", b"\x08\x07", b"\x08\x08\x12\x01x"])
def test_what_is_no_model_is_a_sentence(content: bytes) -> None:
    with pytest.raises(ModelError, match="cannot be parsed"):
        onnx_graph.parse(content)


@pytest.mark.parametrize(
    ("sides", "last", "size"),
    [
        (["N", 3, None, None], False, (None, None)),
        (["N", None, SIDE, SIDE], False, (SIDE, SIDE)),
        (["N", SIDE, SIDE, None], True, (SIDE, SIDE)),
        (["N", None, None, None], True, (None, None)),
        (["N", None, None, None], False, (None, None)),
        ([1, 3, 3, 3], True, (3, 3)),
    ],
)
def test_where_the_colours_stand(sides: Any, last: bool, size: Any) -> None:
    told = onnx_graph.read(small(last=last, inputs=[value("images", sides)]))
    assert (told.channels_first, told.size) == (not last, size)


def test_only_what_makes_the_output_is_run() -> None:
    model = small(
        nodes=[node("Relu", ["vectors"], ["unused"])],
        weights=[tensor("idle", np.zeros(9, np.float32))],
        outputs=[value("unused", ["N", 5])],
    )
    part = onnx_graph.parse(onnx_graph.cut(model, "images", "vectors", any_size=True))
    assert [each.op_type for each in part.graph.node] == ["Conv", "Relu", "GlobalAveragePool", "Reshape", "MatMul"]
    assert [each.name for each in part.graph.initializer] == ["kernel", "dense", "sides"]
    assert [each.name for each in part.graph.output] == ["vectors"]


def test_what_scales_its_input_is_told() -> None:
    scaled, mean = [node("Sub", ["raw", "mean"], ["images"])], tensor("mean", np.float32(127.5))
    model = small(first=scaled, inputs=[value("raw", ["N", 3, SIDE, SIDE])], weights=[mean])
    assert onnx_graph.read(model).scales_input
    assert not onnx_graph.read(small()).scales_input
    assert not onnx_graph.read(small(last=True)).scales_input

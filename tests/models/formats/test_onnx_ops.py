"""The allow-list of ONNX operators: what is not on it is refused, by its name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx_models import node, small, tensor, value

from facesieve.core.errors import ModelError
from facesieve.models.formats import onnx_ops


def refused(model: Any, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        onnx_ops.refuse(model)


@pytest.mark.parametrize("kind", ["If", "Loop", "Scan", "RandomNormal", "StringConcat", "SequenceAt", "ImageDecoder"])
def test_other_operators_are_refused_by_name(kind: str) -> None:
    refused(small(nodes=[node(kind, ["vectors"], ["more"], name="evil")]), f"graph node evil is a {kind}, which is not")


@pytest.mark.parametrize("domain", ["com.microsoft", "ai.onnx.ml", "com.example"])
def test_other_domains_are_refused_whatever_the_operator(domain: str) -> None:
    refused(small(nodes=[node("Relu", ["vectors"], ["more"], domain=domain)]), f"Relu of the domain {domain}")


def test_functions_of_the_file_are_refused() -> None:
    model = small()
    model.functions.add(name="Relu", domain="")
    refused(model, "defines the function Relu")


def test_a_graph_inside_of_a_node_is_refused() -> None:
    model = small(nodes=[node("Relu", ["vectors"], ["more"], then=small().graph)])
    refused(model, "is a Relu, which is not accepted")


def test_what_mixes_a_batch_or_draws_at_random_is_refused() -> None:
    four = [tensor(name, np.ones(4, np.float32)) for name in ("a", "b", "c", "d")]
    reads = ["planes", "a", "b", "c", "d"]
    norm = node("BatchNormalization", reads, ["normed", "mean", "variance"], training_mode=1)
    refused(small(nodes=[norm], weights=four), "takes the statistics of the batch")
    onnx_ops.refuse(small(nodes=[node("BatchNormalization", reads, ["normed"])], weights=four))
    for on in (True, False):
        flags = [tensor("ratio", np.float32(0.5)), tensor("training", np.array(on))]
        model = small(nodes=[node("Dropout", ["vectors", "ratio", "training"], ["dropped"])], weights=flags)
        if on:
            refused(model, "draws at random")
        else:
            onnx_ops.refuse(model)
    asked = small(nodes=[node("Dropout", ["vectors", "", "wish"], ["dropped"])], inputs=[value("wish", [], "BOOL")])
    refused(asked, "draws at random")


def test_every_name_is_an_operator_of_onnx() -> None:
    import onnx.defs  # noqa: PLC0415

    known = {schema.name for schema in onnx.defs.get_all_schemas_with_history() if schema.domain == ""}
    assert known > onnx_ops.ALLOWED
    control = {"If", "Loop", "Scan", "SequenceMap"}
    assert not control & onnx_ops.ALLOWED

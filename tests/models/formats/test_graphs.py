"""All graph forms give what the Keras file gives; the part between input and output, and what is refused in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import facenet_graphs
import numpy as np
import pytest
from facenet_graphs import FORMS, profile_of
from PIL import Image

from facesieve.core.errors import ModelError
from facesieve.faces import pixels
from facesieve.models import files
from facesieve.models.embedder import Embedder
from facesieve.models.formats import (
    branches,
    checkpoint,
    frozen_graph,
    graph_surgery,
    graphs,
    keras_h5,
    ops,
    saved_model,
)
from facesieve.models.network import Infer

LOADERS = {"checkpoint": checkpoint, "frozen_graph": frozen_graph, "saved_model": saved_model}
PHOTOGRAPHS = 12


@pytest.fixture(scope="module")
def folder() -> Path:
    return facenet_graphs.small()


def images(count: int, side: int = facenet_graphs.SIDE) -> Any:
    return np.random.default_rng(1).uniform(0, 255, (count, side, side, 3)).astype(np.float32)


def loaded(folder: Path, name: str, dimension: int = 8, **more: Any) -> Infer:
    form = FORMS[name]
    load: Callable[..., Infer] = LOADERS[form].load
    return load(files.read(folder / name), profile_of(form, dimension=dimension, **more))


def cosines(left: Any, right: Any) -> Any:
    lengths = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    return (left * right).sum(axis=1) / lengths


@pytest.mark.parametrize("dimension", [8, 512])
@pytest.mark.parametrize("name", FORMS)
def test_each_form_gives_what_the_keras_file_gives(folder: Path, name: str, dimension: int) -> None:
    batch = pixels.prewhiten(images(5))
    net = files.read(folder / str(dimension) / "net.h5")
    expected = keras_h5.load(net, profile_of("keras_h5", dimension=dimension))(batch)
    found = loaded(folder / str(dimension), name, dimension)(batch)
    assert found.dtype == np.float32
    assert found.shape == expected.shape
    assert cosines(found, expected).min() > 0.99999
    assert np.std(found, axis=0).min() > 0


@pytest.mark.parametrize("name", FORMS)
def test_any_number_of_images_in_one_batch_with_one_trace(folder: Path, name: str) -> None:
    embed, batch = loaded(folder / "8", name), pixels.prewhiten(images(7))
    together = embed(batch)
    for count in (1, 3):
        np.testing.assert_allclose(embed(batch[:count]), together[:count], atol=1e-6)


@pytest.mark.parametrize("normalisation", ["prewhiten", "fixed"])
def test_normalisation_of_the_profile_is_what_the_network_gets(folder: Path, normalisation: str) -> None:
    profile, crops = profile_of("checkpoint", normalisation=normalisation), images(4)
    infer = loaded(folder / "8", "checkpoint")
    expected = infer(getattr(pixels, normalisation)(crops))
    assert cosines(Embedder(profile, infer).embed(crops), expected).min() > 0.99999


@pytest.mark.parametrize("name", FORMS)
def test_facts(folder: Path, name: str) -> None:
    found = LOADERS[FORMS[name]].facts(files.read(folder / "8" / name))
    assert (found.input_size, found.dimension) == ((32, 32), 8)
    gammas = 6 if name == "frozen.pb" else 0  # a constant of ones that the fused normalisation takes
    assert found.parameters == 1343 + gammas
    assert "float32 [?, 32, 32, 3]" in found.inputs[0]


def faces(data: Path, count: int, side: int = 160) -> Any:
    """Real faces from LFW's aligned copy, as its README says."""
    crops = []
    for file in sorted((data / "lfw" / "images").glob("*/*_0001.jpg"))[: 40 * count : 40]:
        cut = Image.open(file).convert("RGB").crop((53, 48, 198, 193)).resize((side, side), Image.Resampling.BILINEAR)
        crops.append(np.asarray(cut, np.float32))
    return pixels.prewhiten(np.stack(crops))


def test_facenet_is_facenet_in_every_form(data: Path, facenet_weights: Path, tmp_path: Path) -> None:
    facenet_graphs.build((str(facenet_weights), tmp_path, 160, 128))
    batch = faces(data, PHOTOGRAPHS)
    size = {"side": 160, "dimension": 128}
    expected = keras_h5.load(files.read(facenet_weights), profile_of("keras_h5", **size))(batch)
    assert cosines(expected[:-1], expected[1:]).max() < 0.8, "the faces are different people"
    for name in ("checkpoint", "frozen.pb", "saved_model_v1", "saved_model_v2"):
        form = FORMS[name]
        found = LOADERS[form].load(files.read(tmp_path / name), profile_of(form, **size))(batch)
        assert cosines(found, expected).min() > 0.99999, name


def definition(folder: Path) -> Any:
    return graphs.parse((folder / "8" / "frozen.pb").read_bytes(), "GraphDef")


def test_only_what_lies_between_input_and_output_is_taken(folder: Path) -> None:
    meta = graphs.parse((folder / "8" / "checkpoint" / f"{facenet_graphs.NAME}.meta").read_bytes(), "MetaGraphDef")
    kinds = {node.op for node in meta.graph_def.node}
    assert {"PyFunc", "ReadFile", "DecodeJpeg", "SaveV2", "RestoreV2", "FIFOQueueV2", "ApplyAdagrad"} <= kinds
    part = graph_surgery.used(meta.graph_def, "input:0", "embeddings:0", ["phase_train"])
    ops.refuse(part)
    kinds = {node.op for node in part.node}
    assert {"Switch", "RefSwitch", "Merge", "AssignSub", "RandomUniform", "VariableV2"} <= kinds
    left = {node.op for node in branches.decided(part, "input:0", "embeddings:0").node}
    assert not left & {"Switch", "RefSwitch", "Merge", "AssignSub", "RandomUniform", "Assign"}
    assert not any(
        text.startswith("^") for node in branches.decided(part, "input:0", "embeddings:0").node for text in node.input
    )


def node_of(graph: Any, name: str) -> Any:
    return next(node for node in graph.node if node.name == name)


def test_undecided_branches_stay(folder: Path) -> None:
    graph = definition(folder)
    part = graph_surgery.used(graph, "input:0", "embeddings:0", [])
    rest = branches.decided(part, "input:0", "embeddings:0")
    assert {"Switch", "Merge"} <= {node.op for node in rest.node}


def refused(graph: Any, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        graphs.network(graph, ("input:0", "embeddings:0"), ["phase_train"], lambda shapes: {})


def test_a_graph_that_is_no_graph_is_refused(folder: Path) -> None:
    graph = definition(folder)
    node_of(graph, "embeddings").input[0] = "nowhere"
    refused(graph, "embeddings reads nowhere, which is not in the graph")
    graph = definition(folder)
    graph.node.add(name="embeddings", op="NoOp")
    refused(graph, "two nodes of one name")
    graph = definition(folder)
    first = next(node for node in graph.node if node.op == "Conv2D")
    first.input[0] = "embeddings"
    refused(graph, "depends on itself")
    graph = definition(folder)
    node_of(graph, "embeddings").input[0] = "x:y"
    refused(graph, "no tensor's name")


def test_an_output_that_does_not_depend_on_the_input_is_refused(folder: Path) -> None:
    graph = definition(folder)
    constant = next(node for node in graph.node if node.op == "Const")
    output = node_of(graph, "embeddings")
    output.op = "Identity"
    del output.input[:]
    output.input.append(constant.name)
    refused(graph, "without input:0")


def test_what_would_train_at_inference_is_refused(folder: Path) -> None:
    graph = definition(folder)
    norm = next(node for node in graph.node if node.op == "FusedBatchNormV3" and not node.attr["is_training"].b)
    norm.attr["is_training"].b = True
    refused(graph, f"{norm.name} .*statistics of the batch")
    graph = definition(folder)
    part = graph_surgery.used(graph, "input:0", "embeddings:0", [])
    with pytest.raises(ModelError, match="at inference"):
        ops.refuse_training(branches.decided(part, "input:0", "embeddings:0"))


def test_a_constant_that_claims_to_be_huge_is_refused_before_it_is_made(folder: Path) -> None:
    graph = definition(folder)
    weights = next(
        node for node in graph.node if node.op == "Const" and len(node.attr["value"].tensor.tensor_shape.dim) == 4
    )
    value = weights.attr["value"].tensor
    for side in value.tensor_shape.dim:
        side.size = 1_000_000
    value.ClearField("tensor_content")
    value.float_val.append(1.0)
    refused(graph, "more than 500,000,000 numbers")


def test_no_accepted_operation_touches_files_network_or_python() -> None:
    dangerous = ("File", "Dir", "PyFunc", "Save", "Restore", "Reader", "Iterator", "Dataset", "Queue", "Send", "Recv")
    assert not [name for name in ops.ALLOWED for part in dangerous if part in name]
    assert not ops.ALLOWED & {
        "Print",
        "PrintV2",
        "Assert",
        "XlaCallModule",
        "While",
        "Rpc",
        "DecodeJpeg",
        "LookupTableFind",
    }

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import facenet_graphs
import numpy as np
import pytest
from facenet_graphs import altered, profile_of

from facesieve.core.errors import ModelError
from facesieve.models import files
from facesieve.models.files import ModelFiles
from facesieve.models.formats import graphs, saved_model
from facesieve.models.network import Infer

BATCH = np.random.default_rng(2).normal(size=(3, 32, 32, 3)).astype(np.float32)
GRAPH, INDEX, SHARD = "saved_model.pb", "variables/variables.index", "variables/variables.data-00000-of-00001"


@pytest.fixture(scope="module", params=["saved_model_v1", "saved_model_v2", "saved_model_keras"])
def found(request: pytest.FixtureRequest) -> ModelFiles:
    return files.read(facenet_graphs.small() / "8" / request.param)


def load(given: ModelFiles, **more: Any) -> Infer:
    return saved_model.load(given, profile_of("saved_model", **more))


def refused(given: ModelFiles, said: str, **more: Any) -> None:
    with pytest.raises(ModelError, match=said):
        load(given, **more)


def with_graph(found: ModelFiles, change: Callable[[Any], None]) -> ModelFiles:
    saved = graphs.parse(found.contents[GRAPH], "SavedModel")
    change(saved.meta_graphs[0])
    return altered(found, {GRAPH: saved.SerializeToString()})


def signature(meta: Any) -> Any:
    return meta.signature_def["serving_default"]


def output_of(meta: Any) -> Any:
    return next(iter(signature(meta).outputs.values()))


def test_what_is_beside_the_network_is_never_reached(found: ModelFiles) -> None:
    extra = {"keras_metadata.pb": b"\x80\x04.", "assets/words.txt": b"a", "fingerprint.pb": b"", "assets.extra/x": b""}

    def saver_of_evil(meta: Any) -> None:
        meta.graph_def.node.add(name="evil", op="PyFunc")
        function = meta.graph_def.library.function.add()
        function.signature.name = "evil_function"
        function.node_def.add(name="evil", op="WriteFile")
        meta.asset_file_def.add(filename="words.txt")

    given = altered(with_graph(found, saver_of_evil), extra)
    np.testing.assert_array_equal(load(given)(BATCH), load(found)(BATCH))


def test_an_operation_in_the_network_is_refused_wherever_it_hides(found: ModelFiles) -> None:
    def in_the_path(meta: Any) -> None:
        name = output_of(meta).name.partition(":")[0]
        meta.graph_def.node.add(name="evil", op="WriteFile")
        next(node for node in meta.graph_def.node if node.name == name).input.append("^evil")

    refused(with_graph(found, in_the_path), "graph node evil is a WriteFile")

    def in_a_function(meta: Any) -> None:
        convolutions = [
            node for function in meta.graph_def.library.function for node in function.node_def if node.op == "Conv2D"
        ]
        for node in convolutions or [node for node in meta.graph_def.node if node.op == "Conv2D"]:
            node.op = "EagerPyFunc"

    refused(with_graph(found, in_a_function), "is a EagerPyFunc")


def test_one_of_several_outputs_is_named_by_the_profile(found: ModelFiles) -> None:
    def second(meta: Any) -> None:
        info = signature(meta).outputs["other"]
        info.CopyFrom(next(iter(signature(meta).inputs.values())))

    given = with_graph(found, second)
    refused(given, "output '' does not name one of the signature's: .*other")
    key = next(key for key in signature(graphs.parse(found.contents[GRAPH], "SavedModel").meta_graphs[0]).outputs)
    np.testing.assert_array_equal(load(given, output=key)(BATCH), load(found)(BATCH))
    facts = saved_model.facts(given)
    assert (len(facts.outputs), facts.dimension, len(facts.notes)) == (2, None, 1)


def test_flags_of_the_signature_are_held_false(found: ModelFiles) -> None:
    def flag(meta: Any) -> None:
        node = meta.graph_def.node.add(name="training", op="Placeholder")
        node.attr["dtype"].type = 10
        info = signature(meta).inputs["training"]
        info.name, info.dtype = "training:0", 10

    np.testing.assert_array_equal(load(with_graph(found, flag))(BATCH), load(found)(BATCH))


def test_signatures_that_do_not_fit_are_refused(found: ModelFiles) -> None:
    def second_input(meta: Any) -> None:
        signature(meta).inputs["more"].CopyFrom(next(iter(signature(meta).inputs.values())))

    refused(with_graph(found, second_input), "must take images alone")

    def bytes_input(meta: Any) -> None:
        next(iter(signature(meta).inputs.values())).dtype = 7

    refused(with_graph(found, bytes_input), "string .*float32 images are accepted")

    def no_signature(meta: Any) -> None:
        meta.signature_def.pop("serving_default")

    refused(with_graph(found, no_signature), "no signature 'serving_default'")

    def other_tag(meta: Any) -> None:
        meta.meta_info_def.tags[:] = ["train"]

    refused(with_graph(found, other_tag), "one graph tagged 'serve', its graphs have the tags: train")


def test_files_that_are_missing_cut_off_or_altered_are_refused(found: ModelFiles) -> None:
    refused(altered(found, {GRAPH: None}), "holds no saved_model.pb")
    refused(altered(found, {INDEX: None}), "holds no variables/variables.index")
    refused(altered(found, {SHARD: None}), "cut off or altered")
    refused(altered(found, {GRAPH: found.contents[GRAPH][:3000]}), "cannot be read")
    for name in (INDEX, SHARD):
        content = found.contents[name]
        refused(altered(found, {name: content[: len(content) // 3]}), "cut off or altered")


def test_sizes_must_be_the_profiles(found: ModelFiles) -> None:
    refused(found, r"input is .*32, 32.*profile says \[24, 24\]", side=24)
    refused(found, r"output is .*8\].*profile says 16", dimension=16)


def test_a_keras_model_saved_as_tensorflow_saves_any_object(tmp_path: Path) -> None:
    keras, tf = importlib.import_module("keras"), importlib.import_module("tensorflow")
    image = keras.Input((32, 32, 3))
    features = keras.layers.BatchNormalization()(keras.layers.Conv2D(4, 3, activation="relu")(image))
    model = keras.Model(image, keras.layers.Dense(8)(keras.layers.GlobalAveragePooling2D()(features)))
    tf.saved_model.save(model, str(tmp_path / "saved"))
    found = load(files.read(tmp_path / "saved"))
    np.testing.assert_allclose(found(BATCH), np.asarray(model(BATCH)), rtol=1e-4, atol=1e-6)

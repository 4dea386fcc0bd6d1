from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import facenet_graphs
import numpy as np
import pytest
from facenet_graphs import NAME, altered, profile_of

from facesieve.core.errors import ModelError
from facesieve.models import files, runtime
from facesieve.models.files import ModelFiles
from facesieve.models.formats import checkpoint, graphs
from facesieve.models.network import Infer

PREFIX = f"{NAME}.ckpt-250"
META, INDEX, SHARD = f"{NAME}.meta", f"{PREFIX}.index", f"{PREFIX}.data-00000-of-00001"
BATCH = np.random.default_rng(2).normal(size=(3, 32, 32, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def found() -> ModelFiles:
    return files.read(facenet_graphs.small() / "8" / "checkpoint")


def load(given: ModelFiles, **more: Any) -> Infer:
    return checkpoint.load(given, profile_of("checkpoint", **more))


def refused(given: ModelFiles, said: str, **more: Any) -> None:
    with pytest.raises(ModelError, match=said):
        load(given, **more)


@pytest.fixture
def saved(found: ModelFiles, tmp_path: Path) -> Any:
    """Return a function that writes the weights again, altered, and gives the files under another step."""

    def save(change: Callable[[Any], None], step: int = 251) -> Any:
        tf = runtime.tensorflow()
        with found.on_disk() as folder:
            reader = tf.train.load_checkpoint(str(folder / PREFIX))
            weights = {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}
        change(weights)
        prefix = tmp_path / f"{NAME}.ckpt-{step}"
        names = sorted(weights)
        tf.raw_ops.SaveV2(
            prefix=str(prefix),
            tensor_names=names,
            shape_and_slices=[""] * len(names),
            tensors=[tf.constant(weights[name]) for name in names],
        )
        return {file.name: file.read_bytes() for file in tmp_path.iterdir()}

    return save


def kernel(weights: dict[str, Any]) -> Any:
    return next(name for name in sorted(weights) if name.endswith("kernel"))


def negated(weights: dict[str, Any]) -> None:
    for name, value in weights.items():
        if name.endswith("beta"):
            weights[name] = -value


def test_the_largest_step_is_taken(found: ModelFiles, saved: Any) -> None:
    given = altered(found, {"checkpoint": None, INDEX: None, SHARD: None, **saved(lambda weights: None, 9)})
    old = load(given)(BATCH)
    given = altered(given, saved(negated, 10))
    assert checkpoint.names(given) == (META, f"{NAME}.ckpt-10")
    assert np.abs(load(given)(BATCH) - old).max() > 0.01


def test_the_one_that_the_file_checkpoint_notes_is_taken(found: ModelFiles, saved: Any) -> None:
    given = altered(found, saved(negated, 999))
    assert checkpoint.names(given) == (META, PREFIX)
    np.testing.assert_array_equal(load(given)(BATCH), load(found)(BATCH))


@pytest.mark.parametrize("path", [f"/somewhere/else/{PREFIX}", f"C:\\\\models\\\\{PREFIX}", f"../../{PREFIX}"])
def test_where_training_wrote_it_does_not_matter(found: ModelFiles, path: str) -> None:
    noted = f'model_checkpoint_path: "{path}"\nall_model_checkpoint_paths: "x"\n'.encode()
    assert checkpoint.names(altered(found, {"checkpoint": noted})) == (META, PREFIX)


@pytest.mark.parametrize("path", ["../..", "/etc/passwd", "..", "model.*"])
def test_a_path_that_leads_away_is_no_checkpoint(found: ModelFiles, path: str) -> None:
    refused(altered(found, {"checkpoint": f'model_checkpoint_path: "{path}"'.encode()}), "holds no .*index")


def test_files_that_are_missing_are_named(found: ModelFiles) -> None:
    refused(altered(found, {META: None}), "must hold one .meta file, the graph; it holds none")
    refused(altered(found, {"other.meta": b""}), f"it holds 2: {META}, other.meta")
    refused(altered(found, {INDEX: None}), f"holds no {PREFIX}.index")
    refused(altered(found, {SHARD: None}), "holds 0 of the files")
    refused(altered(found, {SHARD: None, SHARD.replace("of-00001", "of-00002"): b""}), "holds 1 of the files")
    refused(altered(found, {INDEX: None, SHARD: None, "checkpoint": None}), "the weights")


def test_files_cut_off_or_altered_are_refused(found: ModelFiles) -> None:
    for name in (INDEX, SHARD):
        content = found.contents[name]
        refused(altered(found, {name: content[: len(content) // 2]}), "cut off or altered")
        middle = len(content) // 2
        flipped = content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :]
        refused(altered(found, {name: flipped}), "cut off or altered|in the checkpoint")
    refused(altered(found, {META: found.contents[META][:5000]}), "cannot be read")


def not_finite(weights: dict[str, Any]) -> None:
    weights[kernel(weights)].flat[7] = np.inf


def missing(weights: dict[str, Any]) -> None:
    del weights[kernel(weights)]


def reshaped(weights: dict[str, Any]) -> None:
    weights[kernel(weights)] = weights[kernel(weights)][..., :-1]


def doubled(weights: dict[str, Any]) -> None:
    weights[kernel(weights)] = weights[kernel(weights)].astype(np.float64)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (not_finite, "variable .*kernel holds what is not a finite number"),
        (missing, "variable .*kernel .* does not exist in the checkpoint"),
        (reshaped, "variable .*kernel of shape .* has shape"),
        (doubled, "variable .*kernel is float64"),
    ],
)
def test_weights_that_do_not_fit_are_named(
    found: ModelFiles, saved: Any, change: Callable[[Any], None], said: str
) -> None:
    refused(altered(found, {"checkpoint": None, **saved(change)}), said)


def meta_with(found: ModelFiles, change: Callable[[Any, Any], None]) -> ModelFiles:
    meta = graphs.parse(found.contents[META], "MetaGraphDef")
    change(meta.graph_def, {node.name: node for node in meta.graph_def.node})
    return altered(found, {META: meta.SerializeToString()})


def test_what_the_training_pipeline_holds_is_accepted_only_before_the_input(found: ModelFiles) -> None:
    def read_while_embedding(graph: Any, nodes: Any) -> None:
        read = next(name for name, node in nodes.items() if node.op == "ReadFile")
        nodes["embeddings"].input.append(f"^{read}")

    refused(meta_with(found, read_while_embedding), "is a (ReadFile|QueueDequeueV2|FIFOQueueV2), which is not accepted")

    def python_in_training(graph: Any, nodes: Any) -> None:
        dropped = next(node for node in graph.node if node.op == "RandomUniform")
        dropped.op = "PyFunc"

    refused(meta_with(found, python_in_training), "is a PyFunc, which is not accepted")


def test_sizes_must_be_the_profiles(found: ModelFiles) -> None:
    refused(found, r"input is .*32, 32.*profile says \[24, 24\]", side=24)
    refused(found, r"output is .*8\].*profile says 16", dimension=16)
    refused(found, "no tensor logits:0", output="logits:0")


def test_facts_say_which_step(found: ModelFiles) -> None:
    assert checkpoint.facts(found).notes == (f"the graph is {META}, the weights are {PREFIX}",)

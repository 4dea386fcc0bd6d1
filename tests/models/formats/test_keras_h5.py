from __future__ import annotations

import hashlib
import importlib
import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from facesieve import models
from facesieve.core.errors import ModelError
from facesieve.core.profiles import Profile
from facesieve.models import files
from facesieve.models.formats import keras_h5


def profile(file: Path | str, sha256: str = "0" * 64, side: int = 16) -> Profile:
    return Profile(
        file=str(file),
        sha256=sha256,
        form="keras_h5",
        input=(side, side),
        normalisation="none",
        dimension=5,
        name="tiny",
    )


def stored(content: bytes) -> Any:
    """Files of a model that is one file of this content."""
    return files.ModelFiles(Path("tiny.h5"), {"tiny.h5": content})


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A small model with every accepted layer but Lambda, saved by Keras, and what Keras computes with it."""
    keras = importlib.import_module("keras")
    layers = keras.layers
    source = layers.Input((16, 16, 3))
    stem = layers.BatchNormalization(scale=False)(layers.Conv2D(4, 3, strides=2, padding="same")(source))
    stem = layers.Activation("relu")(stem)
    branches = [layers.MaxPooling2D(3, 2)(stem), layers.Conv2D(4, 3, 2, activation="relu", use_bias=False)(stem)]
    joined = layers.Concatenate()([layers.Add()(branches), branches[0]])
    pooled = layers.Dropout(0.5)(layers.GlobalAveragePooling2D()(joined))
    model = keras.Model(source, layers.BatchNormalization()(layers.Dense(5)(pooled)))
    rng = np.random.default_rng(0)
    model.set_weights([rng.uniform(0.1, 1.0, array.shape) for array in model.get_weights()])
    file = tmp_path_factory.mktemp("h5") / "tiny.h5"
    model.save(file)
    batch = rng.uniform(0, 255, (3, 16, 16, 3)).astype(np.float32)
    return file, batch, model(batch, training=False).numpy(), model.count_params()


@pytest.fixture
def altered(tiny: Any, tmp_path: Path) -> Any:
    """Return a function that copies the tiny model, alters its configuration or weights, and gives the bytes."""

    def alter(change: Any) -> Any:
        file = tmp_path / "altered.h5"
        file.write_bytes(tiny[0].read_bytes())
        with h5py.File(file, "r+") as opened:
            config = json.loads(opened.attrs["model_config"])
            change(config["config"], opened["model_weights"])
            opened.attrs["model_config"] = json.dumps(config)
        return stored(file.read_bytes())

    return alter


def layer_of(config: Any, kind: str) -> Any:
    return next(layer for layer in config["layers"] if layer["class_name"] == kind)


def test_equals_keras(tiny: Any) -> None:
    file, batch, expected, parameters = tiny
    content = stored(file.read_bytes())
    assert keras_h5.read(content, profile(file)).parameters == parameters
    np.testing.assert_allclose(keras_h5.load(content, profile(file))(batch), expected, rtol=1e-4)


def scaled_sum(config: Any, name: str = "Block_ScaleSum", **arguments: Any) -> None:
    add = layer_of(config, "Add")
    old = add["config"]["name"]
    add.update(class_name="Lambda", name=name)
    add["config"] = {"name": name, "function": ["4wIAAAA=", None, None], "arguments": arguments}
    text = json.dumps(config["layers"]).replace(f'["{old}", 0, 0]', f'["{name}", 0, 0]')
    config["layers"] = json.loads(text)


def test_scaled_sum_is_computed_without_reading_its_code(tiny: Any, altered: Any) -> None:
    file, batch, _, _ = tiny
    once = altered(lambda config, weights: scaled_sum(config, scale=1.0))
    np.testing.assert_allclose(keras_h5.load(once, profile(file))(batch), tiny[2], rtol=1e-4)
    half = altered(lambda config, weights: scaled_sum(config, scale=0.5))
    assert np.abs(keras_h5.load(half, profile(file))(batch) - tiny[2]).max() > 1e-2


def rename_kind(config: Any, weights: Any) -> None:
    layer_of(config, "Dropout")["class_name"] = "Masking"


def sigmoid(config: Any, weights: Any) -> None:
    layer_of(config, "Activation")["config"]["activation"] = "sigmoid"


def dilated(config: Any, weights: Any) -> None:
    layer_of(config, "Conv2D")["config"]["dilation_rate"] = [2, 2]


def drop_weight(config: Any, weights: Any) -> None:
    group = weights["dense"] if "dense" in weights else weights[next(n for n in weights if n.startswith("dense"))]
    group.attrs["weight_names"] = group.attrs["weight_names"][:1]


def not_a_number(config: Any, weights: Any) -> None:
    name = next(name for name in weights if name.startswith("conv2d"))
    group = weights[name]
    group[group.attrs["weight_names"][0]][0] = np.nan


def infinite_variance(config: Any, weights: Any) -> None:
    name = next(name for name in weights if name.startswith("batch"))
    group = weights[name]
    group[next(one for one in group.attrs["weight_names"] if "variance" in one)][0] = np.inf


def replaced(weights: Any, kind: str, make: Any) -> None:
    """Put what `make` makes in the place of the first weight of a layer."""
    group = weights[next(name for name in weights if name.startswith(kind))]
    path = group.attrs["weight_names"][0]
    array = np.asarray(group[path])
    parent, _, short = path.rpartition("/")
    del group[path]
    make(group[parent], short, array)


def other_shape(config: Any, weights: Any) -> None:
    replaced(weights, "dense", lambda group, name, array: group.create_dataset(name, data=array[:, :4]))


def whole_numbers(config: Any, weights: Any) -> None:
    replaced(weights, "dense", lambda group, name, array: group.create_dataset(name, data=array.astype(int)))


def outside(config: Any, weights: Any) -> None:
    replaced(weights, "dense", lambda group, name, _: group.__setitem__(name, h5py.ExternalLink("/etc/passwd", "/")))


def soft(config: Any, weights: Any) -> None:
    replaced(weights, "dense", lambda group, name, _: group.__setitem__(name, h5py.SoftLink("/model_weights")))


def external(config: Any, weights: Any) -> None:
    def make(group: Any, name: str, array: Any) -> None:
        group.create_dataset(name, array.shape, "f4", external=[("/etc/passwd", 0, h5py.h5f.UNLIMITED)])

    replaced(weights, "dense", make)


def bomb(config: Any, weights: Any) -> None:
    def make(group: Any, name: str, _: Any) -> None:
        group.create_dataset(name, (100_000, 100_000), "f4", chunks=(1000, 1000), compression="gzip")

    replaced(weights, "dense", make)


def of_another_module(config: Any, weights: Any) -> None:
    layer_of(config, "Dropout")["module"] = "evil.layers"


def registered(config: Any, weights: Any) -> None:
    layer_of(config, "Dropout")["registered_name"] = "Evil>Dropout"


def no_input(config: Any, weights: Any) -> None:
    layer_of(config, "Dropout")["inbound_nodes"] = []


def deep(config: Any, weights: Any) -> None:
    config["layers"] = "[" * 100


def unknown_input(config: Any, weights: Any) -> None:
    text = json.dumps(layer_of(config, "Activation"))
    name = layer_of(config, "BatchNormalization")["config"]["name"]
    config["layers"][config["layers"].index(layer_of(config, "Activation"))] = json.loads(text.replace(name, "nowhere"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (rename_kind, "is a Masking, which is not accepted"),
        (sigmoid, "activation 'sigmoid'"),
        (dilated, "dilation"),
        (drop_weight, "is missing"),
        (not_a_number, "not a finite number"),
        (unknown_input, "nowhere"),
        (infinite_variance, "not a finite number"),
        (other_shape, r"weight kernel is \[8, 4\], it should be \[\?, 5\]"),
        (whole_numbers, "not a finite number"),
        (outside, "holds a link"),
        (soft, "holds a link"),
        (external, "not an array that stands in the file"),
        (bomb, "the file has not as many"),
        (of_another_module, "Dropout of evil.layers, which is not accepted"),
        (registered, "is a Dropout, which is not accepted"),
        (no_input, "reads 0 layers"),
        (deep, "not a Keras model"),
        (lambda config, weights: scaled_sum(config, scale=float("nan")), "Lambda is accepted only"),
        (lambda config, weights: scaled_sum(config, scale=1.0, more=2), "Lambda is accepted only"),
        (lambda config, weights: scaled_sum(config, name="evil", scale=1.0), "Layer evil"),
        (lambda config, weights: config.pop("layers"), "not a Keras model"),
    ],
)
def test_what_is_not_accepted_is_named(altered: Any, change: Any, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        keras_h5.read(altered(change), profile("tiny.h5"))


def test_shapes_must_be_the_profiles(tiny: Any) -> None:
    with pytest.raises(ModelError, match="input"):
        keras_h5.read(stored(tiny[0].read_bytes()), profile(tiny[0], side=20))


def test_a_model_is_loaded_once_per_process(tiny: Any) -> None:
    given = profile(tiny[0], hashlib.sha256(tiny[0].read_bytes()).hexdigest())
    before = models.load.cache_info().misses
    first = models.load(given)
    assert models.load(given) is first
    assert models.load.cache_info().misses == before + 1


def test_what_does_not_fit_together_is_named_when_it_is_built(tiny: Any, altered: Any) -> None:
    def narrower(config: Any, weights: Any) -> None:
        replaced(weights, "dense", lambda group, name, array: group.create_dataset(name, data=array[:7]))

    content = altered(narrower)
    keras_h5.read(content, profile("tiny.h5"))
    with pytest.raises(ModelError, match=r"Layer dense\S* \(Dense\) cannot be built"):
        keras_h5.load(content, profile("tiny.h5"))


def test_weights_alone_are_no_model(tmp_path: Path, tiny: Any) -> None:
    file = tmp_path / "weights.h5"
    file.write_bytes(tiny[0].read_bytes())
    with h5py.File(file, "r+") as opened:
        del opened.attrs["model_config"]
    with pytest.raises(ModelError, match="weights alone"):
        keras_h5.read(files.read(file), profile(file))


def test_facts_are_the_files_own(tiny: Any) -> None:
    found = keras_h5.facts(stored(tiny[0].read_bytes()))
    assert (found.input_size, found.dimension, found.parameters) == ((16, 16), 5, tiny[3])
    assert [text.partition(" ")[2] for text in found.inputs] == ["float32 [?, 16, 16, 3]"]
    assert [text.partition(" ")[2] for text in found.outputs] == ["float32 [?, 5]"]


def test_facenet_has_its_published_size(facenet_weights: Path) -> None:
    content = files.read(facenet_weights)
    facenet = Profile(
        file="", sha256="0" * 64, form="keras_h5", input=(160, 160), normalisation="prewhiten", dimension=128
    )
    assert keras_h5.read(content, facenet).parameters == 22_808_144

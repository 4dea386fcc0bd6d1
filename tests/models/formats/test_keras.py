"""Files of Keras 3: every accepted layer as Keras computes it, from the file read as data."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from PIL import Image

from facesieve.core.errors import ModelError
from facesieve.core.profiles import Profile
from facesieve.faces import pixels
from facesieve.models import files, runtime
from facesieve.models.formats import keras, keras_h5, keras_network, tflite

ROOT = Path(__file__).resolve().parents[3]


def profile(dimension: int = 6, side: int = 16) -> Profile:
    return Profile(
        file="",
        sha256="0" * 64,
        form="keras",
        input=(side, side),
        normalisation="none",
        dimension=dimension,
        name="tiny",
    )


def branched(layers: Any) -> Any:
    """Every accepted layer, two of most kinds, some with names of their own."""
    source = layers.Input((16, 16, 3))
    scaled = layers.Rescaling(1 / 128, offset=-0.5)(source)
    stem = layers.Conv2D(4, 3, strides=2, padding="same", activation="relu")(
        layers.ZeroPadding2D(((1, 0), (2, 1)))(scaled)
    )
    stem = layers.PReLU(shared_axes=[1, 2])(layers.BatchNormalization(scale=False)(stem))
    stem = layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2)(stem)
    stem = layers.Activation("relu")(layers.BatchNormalization(name="renamed")(stem))
    pooled = [layers.MaxPooling2D(3, 2)(stem), layers.AveragePooling2D(3, 2)(stem)]
    scaled_sum = layers.Add()([pooled[0], layers.Rescaling(-1.7)(pooled[1])])
    joined = layers.Concatenate()([layers.ReLU(2.0, negative_slope=0.1)(scaled_sum), pooled[1]])
    mean = layers.GlobalAveragePooling2D(keepdims=True)(joined)
    flat = layers.Dropout(0.5)(layers.Flatten()(layers.ZeroPadding2D(1)(mean)))
    dense = layers.PReLU()(layers.Dense(6, name="Bottleneck", use_bias=False)(flat))
    return source, layers.UnitNormalization()(layers.BatchNormalization()(dense))


def sequence(keras_itself: Any) -> Any:
    layers = keras_itself.layers
    return keras_itself.Sequential(
        [layers.Input((16, 16, 3)), layers.Conv2D(3, 3), layers.AveragePooling2D(2), layers.Flatten(), layers.Dense(6)]
    )


@pytest.fixture(scope="module", params=["branched", "sequence"])
def saved(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A model saved by Keras, crops, and what Keras computes with them."""
    itself = importlib.import_module("keras")
    model = itself.Model(*branched(itself.layers)) if request.param == "branched" else sequence(itself)
    rng = np.random.default_rng(0)
    for weight in model.weights:
        weight.assign(rng.uniform(0.5 if "variance" in weight.path else -1.0, 1.5, weight.shape))
    folder = tmp_path_factory.mktemp("keras")
    model.save(folder / "tiny.keras")
    model.save(folder / "tiny.h5")
    batch = rng.uniform(0, 255, (3, 16, 16, 3)).astype(np.float32)
    return folder / "tiny.keras", batch, model(batch, training=False).numpy(), model.count_params()


def test_equals_keras(saved: Any) -> None:
    file, batch, expected, parameters = saved
    found = files.read(file)
    assert keras.read(found, profile()).parameters == parameters
    np.testing.assert_allclose(keras.load(found, profile())(batch), expected, rtol=1e-4, atol=1e-5)


def test_the_same_layers_are_accepted_in_hdf5(saved: Any) -> None:
    file, batch, expected, _ = saved
    found = files.read(file.with_suffix(".h5"))
    np.testing.assert_allclose(keras_h5.load(found, profile())(batch), expected, rtol=1e-4, atol=1e-5)


def test_facts_are_the_files_own(saved: Any) -> None:
    found = keras.facts(files.read(saved[0]))
    assert (found.input_size, found.dimension, found.parameters) == ((16, 16), 6, saved[3])


def test_neither_keras_nor_tensorflow_is_loaded_to_read(saved: Any) -> None:
    code = (
        "import sys; from pathlib import Path; from facesieve.models import files\n"
        "from facesieve.models.formats import keras\n"
        f"keras.facts(files.read(Path({str(saved[0])!r})))\n"
        "sys.exit(bool({'tensorflow', 'keras'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(ROOT / "lib")}, check=False)
    assert done.returncode == 0


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Members of a small file: a configuration and weights."""
    itself = importlib.import_module("keras")
    layers = itself.layers
    source = layers.Input((16, 16, 3))
    hidden = layers.Activation("relu")(layers.Conv2D(4, 3, name="first")(source))
    hidden = layers.GlobalAveragePooling2D()(layers.BatchNormalization()(layers.Conv2D(4, 3, name="second")(hidden)))
    model = itself.Model(source, layers.Dense(6)(hidden))
    file = tmp_path_factory.mktemp("keras") / "small.keras"
    model.save(file)
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(members: Any, **options: Any) -> files.ModelFiles:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", **options) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return files.ModelFiles(Path("small.keras"), {"small.keras": stream.getvalue()})


def with_layer(kind: str, **changes: Any) -> Any:
    def change(members: Any) -> Any:
        config = json.loads(members["config.json"])
        layer = next(layer for layer in config["config"]["layers"] if layer["class_name"] == kind)
        for key, value in changes.items():
            (layer["config"] if key in layer["config"] else layer)[key] = value
        return {**members, "config.json": json.dumps(config)}

    return change


def with_weights(alter: Any) -> Any:
    def change(members: Any) -> Any:
        stream = io.BytesIO(members["model.weights.h5"])
        with h5py.File(stream, "r+") as opened:
            alter(opened["layers"])
        return {**members, "model.weights.h5": stream.getvalue()}

    return change


def exchanged(layers: Any) -> None:
    layers.move("conv2d", "other")
    layers.move("conv2d_1", "conv2d")
    layers.move("other", "conv2d_1")


def added(layers: Any) -> None:
    layers["dense/vars"]["2"] = np.zeros(3, np.float32)


def put(path: str, make: Any) -> Any:
    def alter(layers: Any) -> None:
        array = np.asarray(layers[path])
        del layers[path]
        layers[path] = make(array)

    return with_weights(alter)


def test_the_small_model_is_accepted_as_it_is(small: Any) -> None:
    assert keras.load(packed(small), profile())(np.ones((2, 16, 16, 3), np.float32)).shape == (2, 6)
    keras.load(packed(small, compression=zipfile.ZIP_DEFLATED), profile())


def test_weights_of_an_older_layout_are_found(small: Any) -> None:
    def older(members: Any) -> Any:
        stream = io.BytesIO(members["model.weights.h5"])
        with h5py.File(stream, "r+") as opened:
            opened.move("layers", "_layer_checkpoint_dependencies")
        return {**members, "model.weights.h5": stream.getvalue()}

    batch = np.random.default_rng(0).uniform(0, 1, (2, 16, 16, 3)).astype(np.float32)
    expected = keras.load(packed(small), profile())(batch)
    np.testing.assert_array_equal(keras.load(packed(older(small)), profile())(batch), expected)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (with_layer("Activation", class_name="Lambda", name="Block_ScaleSum"), "is a Lambda, which is not accepted"),
        (with_layer("Activation", class_name="Masking"), "is a Masking, which is not accepted"),
        (with_layer("Activation", class_name="Functional"), "is a Functional, which is not accepted"),
        (with_layer("Activation", module="my.code"), "Activation of my.code, which is not accepted"),
        (with_layer("Activation", activation="sigmoid"), "activation 'sigmoid'"),
        (with_layer("Conv2D", data_format="channels_first"), "channels_last"),
        (with_layer("Conv2D", kernel_size=[5, 5]), r"kernel is \[3, 3, 3, 4\], it should be \[5, 5, \?, 4\]"),
        (with_layer("InputLayer", batch_shape=[None, 20, 20, 3]), "input is"),
        (with_layer("Dense", units=7), "kernel is"),
        (with_weights(exchanged), "in its place are the weights of second"),
        (with_weights(added), "weight 2 has no place in it"),
        (with_weights(lambda layers: layers.pop("dense")), "weight bias is missing"),
        (with_weights(lambda layers: layers["dense/vars"].pop("1")), "weight bias is missing"),
        (with_weights(lambda layers: layers["dense/vars"].__setitem__("2", h5py.SoftLink("/layers"))), "no place"),
        (put("dense/vars/1", lambda array: h5py.ExternalLink("/etc/passwd", "/")), "holds a link"),
        (put("dense/vars/0", lambda array: array * np.float32("nan")), "not a finite number"),
        (put("dense/vars/0", lambda array: array[:, :5]), "kernel is"),
        (lambda members: {**members, "config.json": "{"}, "not a Keras model that can be read"),
        (lambda members: {**members, "config.json": "[" * 100_000}, "not a Keras model that can be read"),
        (lambda members: {**members, "model.weights.h5": b"no HDF5"}, "not a Keras model that can be read"),
        (lambda members: {"config.json": members["config.json"]}, "has no model.weights.h5"),
        (lambda members: {**members, "../evil": b""}, "leaves the archive"),
        (lambda members: {**members, "/evil": b""}, "leaves the archive"),
    ],
)
def test_what_is_not_accepted_is_named(small: Any, change: Any, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        keras.read(packed(change(small)), profile())


def test_bombs_and_twins_are_refused(small: Any) -> None:
    with pytest.raises(ModelError, match="would unpack from"):
        keras.read(packed({**small, "bomb": bytes(10_000_000)}, compression=zipfile.ZIP_DEFLATED), profile())
    stream = io.BytesIO(packed(small).single)
    with zipfile.ZipFile(stream, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("config.json", small["config.json"])
    twins = files.ModelFiles(Path("small.keras"), {"small.keras": stream.getvalue()})
    with pytest.raises(ModelError, match="a member twice"):
        keras.read(twins, profile())


@pytest.mark.parametrize("at", [0.1, 0.5, 0.9])
def test_a_cut_or_altered_file_is_a_sentence(small: Any, at: float) -> None:
    whole = packed(small).single
    place = int(len(whole) * at)
    for content in (whole[:place], whole[:place] + bytes(64) + whole[place + 64 :]):
        # Where the bytes carry no meaning the model is as it was; whatever else happens is a ModelError.
        with contextlib.suppress(ModelError):
            assert keras.load(files.ModelFiles(Path("small.keras"), {"small.keras": content}), profile()) is not None


def test_channels_that_do_not_fit_are_named(small: Any) -> None:
    """TensorFlow would take a kernel of one channel for a convolution in groups, and a mean of one number for all."""
    for change, layer in [
        (put("conv2d/vars/0", lambda array: array[:, :, :1]), "first"),
        (put("conv2d_1/vars/0", lambda array: array[:, :, :2]), "second"),
        (put("batch_normalization/vars/2", lambda array: array[:1]), "batch_normalization"),
    ]:
        with pytest.raises(ModelError, match=f"Layer {layer}.*channels"):
            keras.load(packed(change(small)), profile())


def rebuilt(itself: Any, network: Any) -> Any:
    """FaceNet as Keras 3 would have it: the scaled sums as Rescaling and Add, all else as in the file."""
    tensors: dict[str, Any] = {}
    weighed = []
    for original in network.layers:
        inputs = [tensors[name] for name in original.inputs]
        if not inputs:
            tensors[original.name] = source = itself.Input((160, 160, 3))
        elif original.kind == "Lambda":
            scale = original.config["arguments"]["scale"]
            tensors[original.name] = itself.layers.Add()([inputs[0], itself.layers.Rescaling(scale)(inputs[1])])
        else:
            config = {key: value for key, value in original.config.items() if "_initializer" not in key}
            config["axis"] = -1 if original.kind == "BatchNormalization" else config.get("axis")
            layer = getattr(itself.layers, original.kind)(
                **{key: config[key] for key in KEPT if config.get(key) is not None}
            )
            tensors[original.name] = layer(inputs if len(inputs) > 1 else inputs[0])
            weighed.append((layer, original))
    for layer, original in weighed:
        layer.set_weights([original.weights[weight.path.rpartition("/")[2]] for weight in layer.weights])
    return itself.Model(source, tensors[network.outputs[0]])


KEPT = (
    *("name", "filters", "kernel_size", "strides", "padding", "activation", "use_bias", "units"),
    *("axis", "epsilon", "center", "scale", "pool_size", "rate"),
)


def test_facenet_saved_by_keras_and_as_tflite_gives_the_same_on_real_faces(
    data: Path, facenet_weights: Path, tmp_path: Path
) -> None:
    itself = importlib.import_module("keras")
    facenet = dataclasses.replace(profile(128, 160), normalisation="prewhiten")
    network = keras_h5.read(files.read(facenet_weights), facenet)
    rebuilt(itself, network).save(tmp_path / "facenet.keras")
    infer = keras.load(files.read(tmp_path / "facenet.keras"), facenet)
    photographs = sorted((data / "lfw_colour" / "images").rglob("*.jpg"))[::25]
    crops = [np.asarray(Image.open(file).convert("RGB").resize((160, 160)), np.float32) for file in photographs]
    batch = pixels.prewhiten(np.stack(crops))
    expected = keras_h5.load(files.read(facenet_weights), facenet)(batch)
    tf = runtime.tensorflow()
    function = tf.function(keras_network.forward(tf, network), input_signature=[tf.TensorSpec([None, 160, 160, 3])])
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()])
    with runtime.silenced():
        content = files.ModelFiles(Path("facenet.tflite"), {"facenet.tflite": converter.convert()})
    for found in (infer(batch), tflite.load(content, facenet)(batch)):
        cosines = (found * expected).sum(axis=1) / np.linalg.norm(found, axis=1) / np.linalg.norm(expected, axis=1)
        assert cosines.min() > 0.99999

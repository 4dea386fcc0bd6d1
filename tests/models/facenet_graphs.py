"""Builds graphs of every form out of Keras HDF5 files: `python facenet_graphs.py H5,FOLDER,SIDE,DIMENSION ...`.

A program of its own, since the switches of TensorFlow 1 (reference variables, control flow of Switch and Merge) hold
for a whole process. The graph is made as davidsandberg/facenet makes it: slim's batch normalisation and dropout, whose
training branches hang on `phase_train`, moving averages assigned inside them, a queue with file reading, decoding and
a Python function before `input`, an optimizer and a saver around.
"""

from __future__ import annotations

import atexit
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from facesieve.models import files, keras_h5, runtime
from facesieve.models.files import ModelFiles
from facesieve.models.keras_network import Network
from facesieve.models.layer_rules import Layer
from facesieve.models.layers import ALLOWED
from facesieve.profiles import Profile

NAME = "model-20170512-110547"
"""What the files of a checkpoint are called in facenet: the time at which training began."""
SIDE = 32
"""Side of the small network's images."""
DECAY = 0.995
KEEP = 0.8
FORMS = {
    "checkpoint": "checkpoint",
    "frozen.pb": "frozen_graph",
    "saved_model_v1": "saved_model",
    "saved_model_v2": "saved_model",
    "saved_model_keras": "saved_model",
}
"""What is built, and which form it is of. (Keras exports the small network only.)"""


def tiny(folder: Path, side: int, dimension: int) -> None:
    """Save a small network of FaceNet's kind, as Keras HDF5 (`net.h5`) and as Keras exports it."""
    import keras  # noqa: PLC0415 (TensorFlow, only in this program)

    layers = keras.layers
    source = layers.Input((side, side, 3))
    stem = layers.Conv2D(6, 3, strides=2, use_bias=False)(source)
    stem = layers.Activation("relu")(layers.BatchNormalization(scale=False)(stem))
    branches = [layers.MaxPooling2D(3, 2)(stem), layers.Conv2D(5, 3, 2, activation="relu")(stem)]
    joined = layers.Conv2D(8, 3, padding="same")(layers.Concatenate()(branches))
    pooled = layers.Dropout(1 - KEEP)(layers.GlobalAveragePooling2D()(joined))
    dense = layers.Dense(dimension, use_bias=False)(pooled)
    model = keras.Model(source, layers.BatchNormalization(scale=False)(dense))
    rng = np.random.default_rng(0)
    for weight in model.weights:
        low, high = (0.5, 1.5) if "variance" in weight.path else (-1.0, 1.0)
        weight.assign(rng.uniform(low, high, weight.shape))
    model.save(folder / "net.h5")
    model.export(folder / "saved_model_keras", verbose=False)


class Builder:
    """Makes FaceNet's training graph in TensorFlow 1 out of a network's layers."""

    def __init__(self, tf: Any, phase_train: Any) -> None:
        self.tf, self.v1, self.phase_train = tf, tf.compat.v1, phase_train
        self.weights: dict[str, Any] = {}

    def variable(self, layer: Layer, name: str) -> Any:
        """Make a reference variable that is initialised with nothing: its value comes later."""
        value = layer.weights[name]
        with self.v1.variable_scope(f"InceptionResnetV1/{layer.name}", reuse=self.v1.AUTO_REUSE):
            zeros = self.v1.zeros_initializer()
            made = self.v1.get_variable(name, value.shape, initializer=zeros, use_resource=False)
        self.weights[made.op.name] = value
        return made

    def norm(self, layer: Layer, inputs: Sequence[Any]) -> Any:
        """Normalise as slim does: fused for planes, by hand for vectors (FaceNet's bottleneck)."""
        make = self._fused if len(inputs[0].shape) == 4 else self._unfused
        with self.v1.name_scope(f"{layer.name}/BatchNorm/"):
            return make(inputs[0], layer)

    def _fused(self, tensor: Any, layer: Layer) -> Any:
        tf, v1, epsilon = self.tf, self.v1, layer.config["epsilon"]
        mean, variance = (self.variable(layer, name) for name in ("moving_mean", "moving_variance"))
        beta = self.variable(layer, "beta")
        gamma = self.variable(layer, "gamma") if "gamma" in layer.weights else tf.ones(beta.shape)
        outputs, batch_mean, batch_variance = v1.cond(
            self.phase_train,
            lambda: v1.nn.fused_batch_norm(tensor, gamma, beta, epsilon=epsilon, is_training=True),
            lambda: v1.nn.fused_batch_norm(tensor, gamma, beta, mean, variance, epsilon, is_training=False),
        )
        updates = v1.cond(
            self.phase_train,
            lambda: [self._moved(mean, batch_mean), self._moved(variance, batch_variance)],
            lambda: [tf.identity(batch_mean), tf.identity(batch_variance)],
        )
        with tf.control_dependencies(updates):
            return tf.identity(outputs)

    def _unfused(self, tensor: Any, layer: Layer) -> Any:
        tf, v1 = self.tf, self.v1
        stored = [self.variable(layer, name) for name in ("moving_mean", "moving_variance")]
        beta = self.variable(layer, "beta")
        moments = v1.nn.moments(tensor, [0])

        def update() -> list[Any]:
            moved = [self._moved(variable, value) for variable, value in zip(stored, moments, strict=True)]
            with tf.control_dependencies(moved):
                return [tf.identity(moment) for moment in moments]

        mean, variance = v1.cond(self.phase_train, update, lambda: [tf.identity(one) for one in stored])
        return tf.nn.batch_normalization(tensor, mean, variance, beta, None, layer.config["epsilon"])

    def _moved(self, variable: Any, value: Any) -> Any:
        from tensorflow.python.training import moving_averages  # noqa: PLC0415 (facenet's own way)

        return moving_averages.assign_moving_average(variable, value, DECAY, zero_debias=False)

    def dropout(self, layer: Layer, inputs: Sequence[Any]) -> Any:
        """Drop at random while training, as slim does."""
        v1, tf = self.v1, self.tf
        return v1.cond(
            self.phase_train, lambda: v1.nn.dropout(inputs[0], keep_prob=KEEP), lambda: tf.identity(inputs[0])
        )

    def forward(self, network: Network, batch: Any) -> Any:
        """Make the network: [N, H, W, 3] -> [N, D]."""
        special = {"BatchNormalization": self.norm, "Dropout": self.dropout}
        tensors: dict[str, Any] = {}
        for layer in network.layers:
            inputs = [tensors[name] for name in layer.inputs]
            if not inputs:
                tensors[layer.name] = batch
            elif layer.kind in special:
                tensors[layer.name] = special[layer.kind](layer, inputs)
            else:
                variables = {id(value): self.variable(layer, name) for name, value in layer.weights.items()}
                tensors[layer.name] = ALLOWED[layer.kind].build(_Filled(self.tf, variables), layer, inputs)
        return tensors[network.outputs[0]]


class _Filled:
    """TensorFlow, but a layer's weights become the variables given (by the array's id) instead of constants."""

    def __init__(self, tf: Any, variables: Mapping[int, Any]) -> None:
        self._tf, self._variables = tf, variables

    def constant(self, value: Any) -> Any:
        return self._variables[id(value)]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tf, name)


def pipeline(tf: Any, side: int) -> Any:
    """Make facenet's input: a queue of paths, each read, decoded, turned by a Python function; batched as `input`."""
    v1 = tf.compat.v1
    paths = v1.placeholder(tf.string, [None, 1], name="image_paths")
    size = v1.placeholder(tf.int32, name="batch_size")
    queue = tf.queue.FIFOQueue(100, [tf.string], [(1,)])
    queue.enqueue_many([paths], name="enqueue_op")
    image = tf.io.decode_jpeg(tf.io.read_file(queue.dequeue()[0]), channels=3)
    image = v1.py_func(lambda pixels: pixels[:, ::-1], [image], tf.uint8)
    image = tf.image.resize_with_crop_or_pad(image, side, side)
    image.set_shape((side, side, 3))
    batch = v1.train.batch_join([[tf.image.per_image_standardization(image)]], size, allow_smaller_final_batch=True)
    return tf.identity(tf.identity(batch, "image_batch"), "input")


def version_1(network: Network, folder: Path, side: int, optimizer: bool) -> None:
    """Save the checkpoint, the frozen graph and the SavedModel of TensorFlow 1."""
    tf = runtime.tensorflow()
    v1 = tf.compat.v1
    v1.disable_v2_behavior()
    v1.disable_control_flow_v2()
    with v1.Graph().as_default(), v1.Session() as session:
        phase_train = v1.placeholder(tf.bool, name="phase_train")
        batch = pipeline(tf, side)
        builder = Builder(tf, phase_train)
        embeddings = tf.nn.l2_normalize(builder.forward(network, batch), 1, 1e-10, name="embeddings")
        if optimizer:
            v1.train.AdagradOptimizer(0.1).minimize(tf.reduce_sum(embeddings[:, 0]))
        weights = {one: builder.weights[one.op.name] for one in v1.global_variables() if one.op.name in builder.weights}
        saver = v1.train.Saver(list(weights), max_to_keep=3)
        initial = {variable.initializer.inputs[1]: value for variable, value in weights.items()}
        session.run(v1.global_variables_initializer(), initial)
        target = folder / "checkpoint"
        target.mkdir()
        saver.save(session, str(target / f"{NAME}.ckpt"), global_step=250, write_meta_graph=False)
        saver.export_meta_graph(str(target / f"{NAME}.meta"))
        (folder / "frozen.pb").write_bytes(frozen(tf, session).SerializeToString())
        signature = v1.saved_model.predict_signature_def({"images": batch}, {"embeddings": embeddings})
        out = v1.saved_model.Builder(str(folder / "saved_model_v1"))
        out.add_meta_graph_and_variables(session, ["serve"], {"serving_default": signature}, saver=saver)
        out.save()


def frozen(tf: Any, session: Any) -> Any:
    """Freeze a session's graph by facenet's recipe (`freeze_graph`): Switch and Merge stay, assignments become sums.

    What feeds `input` stays too: as in the published files, the end of the queue from which training read.
    """
    graph = session.graph.as_graph_def()
    renamed = {"RefSwitch": "Switch", "AssignSub": "Sub", "AssignAdd": "Add"}
    for node in graph.node:
        if node.op == "RefSwitch":
            for index, name in enumerate(node.input):
                node.input[index] = f"{name}/read" if "moving_" in name else name
        if node.op in renamed:
            node.op = renamed[node.op]
            node.attr.pop("use_locking", None)
    return tf.compat.v1.graph_util.convert_variables_to_constants(session, graph, ["embeddings"])


def version_2(network: Network, folder: Path, side: int) -> None:
    """Save the SavedModel of TensorFlow 2: variables in a module, one signature."""
    tf = runtime.tensorflow()
    module = tf.Module()
    weights = [value for layer in network.layers for value in layer.weights.values()]
    module.weights = [tf.Variable(value, name="weight") for value in weights]
    filled = _Filled(tf, {id(value): variable for value, variable in zip(weights, module.weights, strict=True)})

    def forward(batch: Any) -> Mapping[str, Any]:
        tensors: dict[str, Any] = {}
        for layer in network.layers:
            inputs = [tensors[name] for name in layer.inputs]
            tensors[layer.name] = ALLOWED[layer.kind].build(filled, layer, inputs) if inputs else batch
        return {"embeddings": tf.nn.l2_normalize(tensors[network.outputs[0]], 1)}

    signature = tf.function(forward, input_signature=[tf.TensorSpec([None, side, side, 3], tf.float32, name="images")])
    tf.saved_model.save(module, str(folder / "saved_model_v2"), signatures=signature)


def build(*networks: tuple[str, Path, int, int]) -> None:
    """Build all forms of networks (HDF5 file, folder, side, dimension) in a process of its own."""
    given = [",".join(map(str, one)) for one in networks]
    finished = subprocess.run([sys.executable, __file__, *given], capture_output=True, text=True, check=False)
    if finished.returncode:
        raise RuntimeError(finished.stderr)


@cache
def small() -> Path:
    """Build the small network with 8 and with 512 numbers, once per test run: folders `8` and `512`, images of 32."""
    folder = Path(tempfile.mkdtemp(prefix="facesieve-graphs-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    build(*(("", folder / str(dimension), SIDE, dimension) for dimension in (8, 512)))
    return folder


def profile_of(form: str, side: int = SIDE, dimension: int = 8, **more: Any) -> Profile:
    """A profile of one of the networks built here."""
    given = {"normalisation": "none", "name": "net", **more}
    return Profile("", "0" * 64, form, (side, side), dimension=dimension, **given)


def altered(found: ModelFiles, contents: Mapping[str, bytes | None]) -> ModelFiles:
    """The files of a model with some replaced, added or (None) left out."""
    merged = {**found.contents, **contents}
    return replace(found, contents={name: content for name, content in merged.items() if content is not None})


def main(*networks: str) -> None:
    """Build all forms of each network; without an HDF5 file of a small network, which Keras exports as well."""
    read = []
    for given in networks:
        h5, folder, side, dimension = given.split(",")
        out, square = Path(folder), int(side)
        out.mkdir(parents=True, exist_ok=True)
        if not h5:
            tiny(out, square, int(dimension))
        profile = profile_of("keras_h5", square, int(dimension))
        network = keras_h5.read(files.read(Path(h5) if h5 else out / "net.h5"), profile)
        version_2(network, out, square)
        read.append((network, out, square, not h5))
    for one in read:  # from the first on, this process is one of TensorFlow 1
        version_1(*one)


if __name__ == "__main__":
    main(*sys.argv[1:])

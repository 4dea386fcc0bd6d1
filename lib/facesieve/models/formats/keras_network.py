"""A Keras model's configuration, read as data: the layers from the allow-list, none of its code.

Both spellings are understood, that of Keras 2 and that of Keras 3, for models with branches and for a plain sequence.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from facesieve.core.errors import ModelError, first_line
from facesieve.core.profiles import Profile
from facesieve.models import runtime
from facesieve.models.files import ModelFiles
from facesieve.models.formats.folding import folded
from facesieve.models.formats.layer_rules import Layer, Shape
from facesieve.models.formats.layers import ALLOWED
from facesieve.models.network import Facts, Floats, Infer

WeightsOf = Callable[[Layer], Mapping[str, Floats]]
"""A layer without weights -> its weights by short name."""

_SCALING = ("Rescaling", "BatchNormalization")


@dataclass(frozen=True)
class Network:
    """The layers of a model, each after those it reads, and the names of those whose output is the model's."""

    layers: tuple[Layer, ...]
    outputs: tuple[str, ...]

    @property
    def parameters(self) -> int:
        """How many numbers the weights are."""
        return sum(array.size for layer in self.layers for array in layer.weights.values())

    def width(self, output: str) -> int | None:
        """How many numbers a layer gives, as far as weights tell."""
        by_name = {layer.name: layer for layer in self.layers}
        layer = by_name.get(output)
        while layer is not None and not layer.weights and ALLOWED[layer.kind].keeps_width:
            layer = by_name[layer.inputs[0]]
        if layer is None or not layer.weights:
            return None
        last = next(iter(layer.weights.values())).shape
        return int(last[-1] * last[-2] if layer.kind == "DepthwiseConv2D" else last[-1])

    def sources(self) -> dict[str, tuple[Any, ...]]:
        """The inputs by name, each with its shape: (None, height, width, channels)."""
        layers = [layer for layer in self.layers if not layer.inputs]
        sizes = [layer.config.get("batch_input_shape", layer.config.get("batch_shape")) for layer in layers]
        return {layer.name: tuple(size or ()) for layer, size in zip(layers, sizes, strict=True)}

    def facts(self) -> Facts:
        """Say what the file tells about the model."""
        sources = self.sources()
        sides = [size[1:3] for size in sources.values()]
        fixed_size = len(sides) == 1 and len(sides[0]) == 2 and all(isinstance(side, int) for side in sides[0])
        widths = [self.width(name) for name in self.outputs]
        return Facts(
            inputs=tuple(f"{name} float32 {_shown(size)}" for name, size in sources.items()),
            outputs=tuple(
                f"{name} float32 [?, {width or '?'}]" for name, width in zip(self.outputs, widths, strict=True)
            ),
            input_size=(sides[0][0], sides[0][1]) if fixed_size else None,
            dimension=widths[0] if len(widths) == 1 else None,
            parameters=self.parameters,
            scales_input=any(layer.kind in _SCALING and set(layer.inputs) & set(sources) for layer in self.layers),
        )


def network(config: Mapping[str, Any], kinds: Collection[str], weights_of: WeightsOf) -> Network:
    """Make a network of a model's configuration: the value of `config` beside `class_name`.

    Raises ModelError naming the layer that is not accepted; KeyError, TypeError and the like for what is no
    configuration of a model.
    """
    entries = list(config["layers"])
    plain = "output_layers" not in config
    layers: list[Layer] = []
    for entry in entries:
        bare = _layer(entry, kinds, (layers[-1].name,) if plain and layers else None)
        layers.append(_weighed(bare, weights_of(bare)))
    _check_order(layers)
    return Network(tuple(layers), (layers[-1].name,) if plain else _names(config["output_layers"]))


@dataclass(frozen=True)
class KerasForm:
    """What the forms of Keras models share, once `network_of` has read a network out of files."""

    network_of: Callable[[ModelFiles], Network]

    def read(self, files: ModelFiles, profile: Profile) -> Network:
        """Read a network. Needs neither Keras nor TensorFlow.

        Raises ModelError naming the member or the layer that is not accepted, or what else does not fit the profile.
        """
        network = self.network_of(files)
        fitting(network, profile)
        return network

    def load(self, files: ModelFiles, profile: Profile) -> Infer:
        """Make a TensorFlow function of the files: float32 [N, H, W, 3] -> float32 [N, D]. Raises as `read` does."""
        return infer(self.network_of(files), profile)

    def facts(self, files: ModelFiles) -> Facts:
        """Say what the files tell about the model. Raises ModelError as `read` does."""
        return self.network_of(files).facts()


def fitting(network: Network, profile: Profile) -> str:
    """Return the name of the layer that gives the vectors. Raises ModelError if the network is not the profile's."""
    sources = network.sources()
    wanted = (*profile.input, 3)
    size = next(iter(sources.values()), ())
    if (
        len(sources) != 1
        or len(size) != 4
        or any(own not in (None, side) for own, side in zip(size[1:], wanted, strict=True))
    ):
        raise ModelError(f"{profile.name}: input is {[*sources.values()]}, the profile says one [{profile.input}].")
    if not profile.output and len(network.outputs) != 1:
        names = ", ".join(network.outputs)
        raise ModelError(f"{profile.name}: the model has several outputs: name one as `output` in the profile: {names}")
    output = profile.output or network.outputs[0]
    if output not in {layer.name for layer in network.layers}:
        raise ModelError(f"{profile.name}: output {output!r} is not a layer of the model.")
    width = network.width(output)
    if width not in (None, profile.dimension):
        raise ModelError(f"{profile.name}: output has {width} numbers, the profile says {profile.dimension}.")
    return output


def infer(network: Network, profile: Profile) -> Infer:
    """Make a TensorFlow function of a network, traced once: float32 [N, H, W, 3] -> float32 [N, D].

    Raises ModelError naming the layer that its input or its weights do not fit.
    """
    output = fitting(network, profile)
    tf = runtime.tensorflow()
    signature = [tf.TensorSpec([None, *profile.input, 3], tf.float32)]
    wanted = Network(folded(network.layers, output), (output,))
    traced = tf.function(forward(tf, wanted), input_signature=signature, autograph=False)
    function = traced.get_concrete_function()
    return lambda batch: np.asarray(function(tf.constant(batch)).numpy())


def forward(tf: Any, network: Network) -> Callable[[Any], Any]:
    """Make a Python function of TensorFlow's operations, to be traced: crops -> the network's first output."""

    def compute(batch: Any) -> Any:
        tensors: dict[str, Any] = {}
        for layer in network.layers:
            inputs = [tensors[name] for name in layer.inputs] or [batch]
            try:
                tensors[layer.name] = ALLOWED[layer.kind].build(tf, layer, inputs)
            except (ValueError, TypeError, KeyError, tf.errors.OpError) as problem:
                cause = first_line(problem)
                raise ModelError(f"Layer {layer.name} ({layer.kind}) cannot be built: {cause}") from None
        return tensors[network.outputs[0]]

    return compute


def _shown(size: tuple[Any, ...]) -> str:
    return f"[{', '.join('?' if side is None else str(side) for side in size)}]"


def _layer(entry: Mapping[str, Any], kinds: Collection[str], before: tuple[str, ...] | None) -> Layer:
    """One layer without its weights; `before`: what it reads in a plain sequence."""
    config, kind = entry["config"], entry["class_name"]
    name = str(entry.get("name", config["name"]))
    own = str(entry.get("module") or "keras.layers").startswith(("keras.layers", "keras.src.layers"))
    if kind not in kinds or not own or entry.get("registered_name") not in (None, kind):
        shown = f"{kind} of {entry['module']}" if not own else kind
        raise ModelError(f"Layer {name} is a {shown}, which is not accepted. Accepted: {', '.join(kinds)}.")
    inputs = before if before is not None else _inputs(name, entry.get("inbound_nodes", []))
    if (kind == "InputLayer") != (not inputs):
        raise ModelError(f"Layer {name} ({kind}) reads {len(inputs)} layers; an InputLayer reads none, others some.")
    return Layer(name, kind, config, inputs, {})


def _inputs(name: str, nodes: list[Any]) -> tuple[str, ...]:
    """Names of the layers that a layer reads, from the spelling of Keras 2 or of Keras 3."""
    if len(nodes) > 1:
        raise ModelError(f"Layer {name} is used {len(nodes)} times; one use is accepted.")
    if not nodes:
        return ()
    if isinstance(nodes[0], Mapping):
        (argument,) = nodes[0]["args"]
        tensors = argument if isinstance(argument, list) else [argument]
        histories = [tensor["config"]["keras_history"] for tensor in tensors]
    else:
        histories = nodes[0]
    if any(list(history[1:3]) != [0, 0] for history in histories):
        raise ModelError(f"Layer {name} reads an output that is not the first of its layer.")
    return tuple(str(history[0]) for history in histories)


def _weighed(layer: Layer, weights: Mapping[str, Floats]) -> Layer:
    """Give a layer its weights, if it is accepted and they are those that its configuration asks for."""
    operation = ALLOWED[layer.kind]
    problem = operation.refuse(layer)
    if problem:
        raise ModelError(f"Layer {layer.name} ({layer.kind}): {problem}.")
    wanted = operation.weights(layer.config)
    for name in sorted(set(wanted) ^ set(weights)):
        fault = "is missing" if name in wanted else "has no place in it"
        raise ModelError(f"Layer {layer.name} ({layer.kind}): weight {name} {fault}.")
    for name, shape in wanted.items():
        if not _fits(weights[name].shape, shape):
            sides = list(weights[name].shape)
            raise ModelError(
                f"Layer {layer.name} ({layer.kind}): weight {name} is {sides}, it should be {_asked(shape)}."
            )
    return replace(layer, weights=weights)


def _fits(sides: tuple[int, ...], shape: Shape) -> bool:
    return shape is None or (
        len(sides) == len(shape) and all(a in (None, b) for a, b in zip(shape, sides, strict=True))
    )


def _asked(shape: Shape) -> str:
    return _shown(tuple(shape or ()))


def _names(outputs: list[Any]) -> tuple[str, ...]:
    """The outputs of a model: [[name, 0, 0], ...], or [name, 0, 0] as Keras 3 writes a single one."""
    several = [outputs] if isinstance(outputs[0], str) else outputs
    return tuple(str(output[0]) for output in several)


def _check_order(layers: list[Layer]) -> None:
    names: set[str] = set()
    for layer in layers:
        missing = [name for name in layer.inputs if name not in names]
        if missing or layer.name in names:
            raise ModelError(f"Layer {layer.name} is there twice, or reads {missing} that do not stand before it.")
        names.add(layer.name)
